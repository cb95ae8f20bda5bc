#include "local_file.h"

#include "walferry/local_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int open_beside(const char *path, const char *suffix, struct err *err)
{
    char *name = local_file_name(path, suffix);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        (void)err_set(err, ERR_SYSTEM, "local log: cannot open %s: %s", name, strerror(errno));
    free(name);
    return fd;
}

static bool write_pid(int fd, const char *path, struct err *err)
{
    char pid[16];
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        return err_set(err, ERR_DISK, "local log: cannot write %s.lock: %s", path, strerror(errno));
    return true;
}

static bool held_by_another(int fd, const char *path, struct err *err)
{
    char text[16] = "";
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    long pid = len > 0 ? strtol(text, NULL, 10) : 0;
    if (pid <= 0)
        return err_set(err, ERR_LOG_LOCKED,
                       "local log %s is being written by another process, which holds %s.lock; stop it or "
                       "choose another walferry.local.path",
                       path, path);
    return err_set(err, ERR_LOG_LOCKED,
                   "local log %s is being written by process %ld, which holds %s.lock; stop it or choose "
                   "another walferry.local.path",
                   path, pid, path);
}

/* flock belongs to the open file, so it holds between two writers of one process too, and the kernel frees it
 * when the process dies. The file stays: removing it would let two processes lock two files of one name. */
bool local_lock_take(const char *path, int *fd, struct err *err)
{
    *fd = open_beside(path, ".lock", err);
    if (*fd < 0)
        return false;
    bool ok = flock(*fd, LOCK_EX | LOCK_NB) == 0;
    if (ok)
        ok = write_pid(*fd, path, err);
    else if (errno == EWOULDBLOCK)
        (void)held_by_another(*fd, path, err);
    else
        (void)err_set(err, ERR_SYSTEM, "local log: cannot lock %s.lock: %s", path, strerror(errno));
    if (!ok) {
        (void)close(*fd);
        *fd = -1;
    }
    return ok;
}

/* Shared, for a moment only: a writer that starts just then tries again. */
bool local_writer_check(const char *path, struct err *err)
{
    char *resolved = local_file_resolve(path);
    char *name = local_file_name(resolved, ".lock");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool ok = fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK ||
              held_by_another(fd, resolved, err);
    if (fd >= 0)
        (void)close(fd);
    free(name);
    free(resolved);
    return ok;
}

bool local_wake_open(const char *path, int *fd, struct err *err)
{
    *fd = open_beside(path, ".wake", err);
    return *fd >= 0;
}
