"""Child processes that never outlive their parent, and waiting for conditions."""

import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, what, timeout=30.0, pause=0.05):
    """Returns the first true value of condition(); fails after `timeout` seconds with what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_process(command, user=None, death_signal=signal.SIGKILL, **options):
    """Popen, whose child gets `death_signal` when this process ends, however it ends. `user`: (uid, gid)."""

    def die_with_parent():
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)

    if user is not None:
        options.update(user=user[0], group=user[1], extra_groups=[])
    return subprocess.Popen(command, preexec_fn=die_with_parent, stdin=subprocess.DEVNULL, **options)


def rss_bytes(pid, peak=False):
    """Resident memory of a process, now or at its peak; 0 where it is gone."""
    name = "VmHWM:" if peak else "VmRSS:"
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
