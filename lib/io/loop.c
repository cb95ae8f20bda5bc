#include "walferry/loop.h"

#include "walferry/log.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void on_stop_signal(uv_signal_t *handle, int signum)
{
    struct loop *loop = handle->data;
    if (++loop->stop_signals > 1) {
        log_warn("loop", "second signal, exiting at once", LOG_INT("signal", signum));
        _exit(1);
    }
    log_info("loop", "stopping", LOG_INT("signal", signum));
    loop->on_stop(loop->data);
}

static void on_reload_signal(uv_signal_t *handle, int signum)
{
    struct loop *loop = handle->data;
    (void)signum;
    if (loop->on_reload != NULL)
        loop->on_reload(loop->data);
}

static void watch_signal(struct loop *loop, uv_signal_t *handle, uv_signal_cb on_signal, int signum)
{
    int failed = uv_signal_init(&loop->uv, handle);
    assert(failed == 0);
    handle->data = loop;
    failed = uv_signal_start(handle, on_signal, signum);
    assert(failed == 0);
}

void loop_init(struct loop *loop, void (*on_stop)(void *), void (*on_reload)(void *), void *data)
{
    *loop = (struct loop){.on_stop = on_stop, .on_reload = on_reload, .data = data};
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of the write, not our end */
    if (uv_loop_init(&loop->uv) != 0) {
        log_error("loop", "no event loop: out of memory or file descriptors");
        abort();
    }
    watch_signal(loop, &loop->sigterm, on_stop_signal, SIGTERM);
    watch_signal(loop, &loop->sigint, on_stop_signal, SIGINT);
    watch_signal(loop, &loop->sighup, on_reload_signal, SIGHUP);
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static void close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_release(struct loop *loop)
{
    uv_walk(&loop->uv, close_handle, NULL);
    /* After uv_stop the first run returns early; the close callbacks are due until nothing is left. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        ;
    int failed = uv_loop_close(&loop->uv);
    assert(failed == 0);
}

/* One datagram to systemd's socket; a name that starts with @ lies in the abstract namespace. */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@'))
        return;
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path)) {
        log_warn("loop", "NOTIFY_SOCKET is too long", LOG_INT("bytes", len));
        return;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';

    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, address_len) < 0)
        log_warn("loop", "the service manager was not told", LOG_STR("state", state),
                 LOG_STR("socket", path));
    if (fd >= 0)
        (void)close(fd);
}

void loop_notify_ready(void)
{
    notify("READY=1");
}

void loop_notify_stopping(void)
{
    notify("STOPPING=1");
}
