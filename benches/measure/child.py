"""Processes that are pinned to cores, timed by the kernel, and never left behind."""

import atexit
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
LIVING = {}


class Failed(Exception):
    """A program did not do what it was started for; the text has what it said."""


@dataclass
class Finished:
    """What is known of a process that has ended."""

    output: str
    errors: str
    code: int
    # Of its own and in the kernel.
    user_seconds: float
    kernel_seconds: float
    wall_seconds: float

    @property
    def cpu_seconds(self):
        return self.user_seconds + self.kernel_seconds


class Child:
    """A process on these cores."""

    def __init__(self, command, on, directory=None, environment=None):
        self.command = [str(part) for part in command]
        self.output = tempfile.TemporaryFile()
        self.errors = tempfile.TemporaryFile()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.errors,
            cwd=directory,
            env=environment,
            # A session of its own: Ctrl-C is for the script, which then ends what it started.
            start_new_session=True,
            preexec_fn=lambda: prepare(on),
        )
        self.pid = self.process.pid
        self.finished = None
        LIVING[self.pid] = self

    def poll(self):
        """How it ended, or `None` while it runs."""
        if self.finished is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._ended(status, usage)
        return self.finished

    def wait(self, seconds):
        """How it ended; it is an error if that takes longer than so many seconds."""
        until = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > until:
                self.stop()
                raise Failed(f"{self.name()} did not end within {seconds:.0f} s\n{self.said()}")
            time.sleep(0.01)
        return self.finished

    def stop(self, by=signal.SIGTERM):
        """Ends it, by force if it does not listen."""
        for number, patience in ((by, 5.0), (signal.SIGKILL, 5.0)):
            if self.poll() is not None:
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass
            until = time.monotonic() + patience
            while self.poll() is None and time.monotonic() < until:
                time.sleep(0.01)

    def said(self):
        """What it has written so far, the end of it."""
        return (read(self.output) + read(self.errors)).strip()[-2000:]

    def name(self):
        return Path(self.command[0]).name

    def _ended(self, status, usage):
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.finished = Finished(
            output=read(self.output),
            errors=read(self.errors),
            code=self.process.returncode,
            user_seconds=usage.ru_utime,
            kernel_seconds=usage.ru_stime,
            wall_seconds=time.monotonic() - self.began,
        )
        LIVING.pop(self.pid, None)


def run(command, on, seconds, accept=(0,), directory=None, environment=None):
    """Runs a program to its end on these cores."""
    child = Child(command, on, directory, environment)
    finished = child.wait(seconds)
    if finished.code not in accept:
        raise Failed(f"{' '.join(child.command)} ended with {finished.code}\n{child.said()}")
    return finished


def prepare(on):
    """In the child, before it becomes the program."""
    os.sched_setaffinity(0, on)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # It goes when the script goes, be it by kill -9.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def read(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def end_all():
    """Ends whatever was started and still runs."""
    for child in list(LIVING.values()):
        child.stop()


def tidy_up():
    """Makes sure that nothing is left behind, however the script ends."""
    atexit.register(end_all)
    # One that was started in the background by a shell would ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))


def tell(text):
    """Says what is going on, beside the result."""
    print(text, file=sys.stderr, flush=True)


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=2) + "\n")
