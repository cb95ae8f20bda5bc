#include "walferry/loop.h"

#include "capture.h"
#include "cmocka_all.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

struct seen {
    struct loop loop;
    int stops, reloads;
    uv_timer_t timer;
};

static void on_stop(void *data)
{
    struct seen *seen = data;
    seen->stops++;
    loop_stop(&seen->loop);
}

static void on_stop_that_hangs(void *data)
{
    struct seen *seen = data;
    seen->stops++;
    (void)raise(SIGTERM);
}

/* SIGHUP first; its handler ends the loop by SIGTERM, so the order is certain. */
static void on_reload(void *data)
{
    struct seen *seen = data;
    seen->reloads++;
    (void)raise(SIGTERM);
}

static void sighup_reloads_and_sigterm_stops(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct capture capture;
    loop_init(&seen.loop, on_stop, on_reload, &seen);
    capture_start(&capture);
    (void)raise(SIGHUP);
    loop_run(&seen.loop);
    assert_non_null(strstr(capture_stop(&capture), "mod=loop msg=stopping signal=15"));
    assert_int_equal(seen.reloads, 1);
    assert_int_equal(seen.stops, 1);
    loop_release(&seen.loop);
}

static void sigint_stops_and_reload_may_be_absent(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct capture capture;
    loop_init(&seen.loop, on_stop, NULL, &seen);
    capture_start(&capture);
    (void)raise(SIGHUP);
    (void)raise(SIGINT);
    loop_run(&seen.loop);
    (void)capture_stop(&capture);
    assert_int_equal(seen.stops, 1);
    loop_release(&seen.loop);
}

/* In a child: a program whose on_stop never ends is left by the second signal. */
static void second_signal_exits_at_once(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct seen seen = {0};
        (void)freopen("/dev/null", "w", stderr);
        loop_init(&seen.loop, on_stop_that_hangs, NULL, &seen);
        (void)raise(SIGTERM);
        loop_run(&seen.loop);
        _exit(77);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void a_closed_pipe_is_no_end(void **state)
{
    (void)state;
    struct seen seen = {0};
    int ends[2];
    loop_init(&seen.loop, on_stop, NULL, &seen);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1); /* and we are still here */
    (void)close(ends[1]);
    loop_release(&seen.loop);
}

static void release_closes_what_was_left_open(void **state)
{
    (void)state;
    struct seen seen = {0};
    loop_init(&seen.loop, on_stop, NULL, &seen);
    assert_int_equal(uv_timer_init(&seen.loop.uv, &seen.timer), 0);
    loop_stop(&seen.loop);
    loop_release(&seen.loop); /* asserts inside that nothing is left */
    assert_true(uv_is_closing((uv_handle_t *)&seen.timer));
}

/* A datagram socket stands for systemd's; `name` with @ is an abstract one. */
static void expect_notification(const char *name, void (*notify)(void), const char *expected)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char message[64] = "";
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    notify();
    assert_true(recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT) > 0);
    assert_string_equal(message, expected);
    (void)close(fd);
    (void)unsetenv("NOTIFY_SOCKET");
}

static void tells_systemd(void **state)
{
    (void)state;
    char directory[] = "/tmp/walferry-loop-XXXXXX";
    char path[64], abstract[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/notify", directory);
    (void)snprintf(abstract, sizeof(abstract), "@walferry-test-%d", (int)getpid());
    expect_notification(path, loop_notify_ready, "READY=1");
    expect_notification(abstract, loop_notify_stopping, "STOPPING=1");
    (void)unlink(path);
    (void)rmdir(directory);
    loop_notify_ready(); /* without NOTIFY_SOCKET: nothing */
}

static void a_missing_notify_socket_is_a_warning(void **state)
{
    (void)state;
    struct capture capture;
    (void)setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    capture_start(&capture);
    loop_notify_ready();
    assert_non_null(strstr(capture_stop(&capture), "level=warn"));
    (void)unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sighup_reloads_and_sigterm_stops),
        cmocka_unit_test(sigint_stops_and_reload_may_be_absent),
        cmocka_unit_test(second_signal_exits_at_once),
        cmocka_unit_test(a_closed_pipe_is_no_end),
        cmocka_unit_test(release_closes_what_was_left_open),
        cmocka_unit_test(tells_systemd),
        cmocka_unit_test(a_missing_notify_socket_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
