/* capture: what a piece of a test writes to stderr, as one text.
 *
 *     capture_start(&capture);
 *     log_info("test", "hello");
 *     const char *text = capture_stop(&capture);      valid until the next capture_start
 *
 * stderr goes to an unlinked temporary file meanwhile, so that nothing blocks however much is written.
 */
#ifndef WALFERRY_CAPTURE_H
#define WALFERRY_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    FILE *file;
    int saved_stderr;
    char text[1 << 16];
};

static inline void capture_start(struct capture *capture)
{
    capture->file = tmpfile();
    capture->saved_stderr = dup(STDERR_FILENO);
    if (capture->file == NULL || dup2(fileno(capture->file), STDERR_FILENO) < 0)
        abort();
}

static inline const char *capture_stop(struct capture *capture)
{
    if (dup2(capture->saved_stderr, STDERR_FILENO) < 0)
        abort();
    (void)close(capture->saved_stderr);
    rewind(capture->file);
    size_t len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
    capture->text[len] = '\0';
    (void)fclose(capture->file);
    return capture->text;
}

#endif
