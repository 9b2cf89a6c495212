"""The load generators that are measured, each by its own command line and its own report."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from .child import Failed, Finished
from .machine import TICKS
from .packages import ROOT, find

K6_SCRIPT = ROOT / "benches" / "peers" / "k6.js"


@dataclass
class Job:
    """What a contender is to do."""

    url: str
    connections: int
    seconds: int
    folder: Path


@dataclass
class Contender:
    """A load generator."""

    name: str
    program: str
    command: Callable[[str, Job], list]
    # How many requests it says it has made, and what should be known of the run.
    requests: Callable[[Finished, Job], int]
    version: Callable[[str], str]
    missing: str
    # What it had done before all users were there, where that is dear: requests, and seconds of
    # processor time in the program and in the kernel.
    before: Callable[[Finished], tuple] = lambda _: (0, 0.0, 0.0)
    accept: tuple = (0,)
    path: Optional[str] = None

    def look(self):
        """Whether it is on this machine."""
        self.path = find(self.program)
        return self.path is not None


def mite(load, name):
    """mite itself, as its command line is: `load` is the program of the benches."""

    def command(path, job):
        return [path, "journey", "test", "get", "--users", job.connections, "--workers", 1,
                "--spawn-rate", 1_000_000, "--duration", f"{job.seconds}s", "--quiet",
                "--graceful-stop", "5s", "--config", f"base_url={job.url}",
                "--report", job.folder / "mite.json"]

    def requests(_, job):
        return read_report(job.folder / "mite.json")["http"]["requests"]

    return Contender(
        name=name, program="load", command=command, requests=requests,
        version=lambda _: f"mite {git_version()}" if name == "mite" else f"{name} {load}",
        missing="",
        # On a machine that is busy with something else a run may be invalid; its count is right.
        accept=(0, 3), path=str(load),
    )


def peers():
    """Everybody else, in the order of the table."""
    return [
        Contender(
            name="wrk", program="wrk",
            command=lambda path, job: [path, "-t1", f"-c{job.connections}", f"-d{job.seconds}s",
                                       job.url],
            requests=lambda ended, _: number(ended.output, r"^\s*(\d+) requests in "),
            version=lambda path: first_line([path, "--version"], r"wrk \S*?([\d.]+)"),
            missing="apt-get install wrk",
        ),
        Contender(
            name="oha", program="oha",
            command=lambda path, job: [path, "-z", f"{job.seconds}s", "-c", job.connections,
                                       "--no-tui", "--output-format", "json", job.url],
            requests=lambda ended, _: sum(
                json.loads(ended.output)["statusCodeDistribution"].values()),
            version=lambda path: first_line([path, "--version"], r"oha ([\d.]+)"),
            missing="scripts/bench --install-peers",
        ),
        Contender(
            name="goose", program="goose-get",
            command=lambda path, job: [path, "--host", job.url, "--users", job.connections,
                                       "--increase-rate", 1_000_000, "--run-time", job.seconds,
                                       "--no-reset-metrics", "--no-print-metrics", "--no-telnet",
                                       "--no-gzip", "--quiet"],
            requests=lambda ended, _: goose_line(ended)[0],
            before=lambda ended: goose_line(ended)[1:],
            version=lambda path: goose_version(),
            missing="scripts/bench --install-peers",
        ),
        Contender(
            name="hey", program="hey",
            command=lambda path, job: [path, "-z", f"{job.seconds}s", "-c", job.connections,
                                       job.url],
            requests=lambda ended, _: sum(
                int(count) for count in re.findall(r"^\s*\[\d+\]\s+(\d+) responses", ended.output,
                                                   re.MULTILINE)),
            version=lambda path: "hey " + dpkg_version("hey"),
            missing="scripts/bench --install-peers",
        ),
        Contender(
            name="k6", program="k6",
            command=lambda path, job: [path, "run", "--quiet", "--vus", job.connections,
                                       "--duration", f"{job.seconds}s", "--no-usage-report",
                                       "--env", f"URL={job.url}",
                                       "--env", f"SUMMARY={job.folder / 'k6.json'}", K6_SCRIPT],
            requests=lambda _, job: read_report(
                job.folder / "k6.json")["metrics"]["http_reqs"]["values"]["count"],
            version=lambda path: first_line([path, "version"], r"k6\S* (v[\d.]+)"),
            missing="put it on the PATH or into target/peers/bin; https://k6.io has it",
        ),
    ]


def scratch():
    """A directory for the files of one run."""
    return tempfile.TemporaryDirectory(prefix="mite-bench-")


def read_report(path):
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise Failed(f"there is no report at {path}: {error}") from error


def number(text, pattern):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise Failed(f"no number of requests in what it said:\n{text[-2000:]}")
    return int(found.group(1))


def first_line(command, pattern):
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, ended.stdout + ended.stderr)
    name = Path(command[0]).name
    return f"{name} {found.group(1)}" if found else name


def dpkg_version(package):
    ended = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True,
                           text=True, check=False)
    return ended.stdout.strip()


def goose_line(ended):
    requests, before, user, kernel = ended.output.splitlines()[-1].split()
    return int(requests), int(before), int(user) / TICKS, int(kernel) / TICKS


def goose_version():
    lock = (ROOT / "benches" / "peers" / "goose" / "Cargo.lock").read_text()
    return "goose " + re.search(r'name = "goose"\nversion = "([^"]+)"', lock).group(1)


def git_version():
    ended = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                           capture_output=True, text=True, check=False)
    return ended.stdout.strip() or "of unknown version"
