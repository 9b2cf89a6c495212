"""The machine: its cores, what else goes on on them, what it is."""

import os
import platform
import resource
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Unfit(Exception):
    """The machine, or what is on it, does not allow to measure; the text says what would."""


def cores():
    """The cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def two_cores():
    """A core for the server and one for the client."""
    found = cores()
    if len(found) < 2:
        raise Unfit(
            f"this process may use {len(found)} core; two are needed, one for the server and one "
            "for the client, since they would otherwise be measured against each other"
        )
    return found[0], found[1]


def descriptors():
    """How many files a process may have open at most."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard


class Watch:
    """What a core has done since: stolen by the host, and used, as seconds."""

    def __init__(self, core):
        self.core = core
        self.began = time.monotonic()
        self.before = self._read()

    def _read(self):
        for line in Path("/proc/stat").read_text().splitlines():
            name, *fields = line.split()
            if name == f"cpu{self.core}":
                user, nice, system, _, _, hard, soft, steal = (int(field) for field in fields[:8])
                return (user + nice + system + hard + soft) / TICKS, steal / TICKS
        raise Unfit(f"/proc/stat has no line for core {self.core}")

    def read(self):
        """Seconds in all, seconds used by anybody, seconds stolen by the host."""
        busy, steal = self._read()
        return time.monotonic() - self.began, busy - self.before[0], steal - self.before[1]


def describe():
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {len(cores())} cores, {platform.system()} {platform.release()}"
