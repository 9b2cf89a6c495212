"""What a controller and the link over NATS bear: more and more runners, real but for their journeys."""

import json
import os
import signal
import tempfile
import time
import urllib.request
from pathlib import Path

from .child import Child, Failed, tell
from .nginx import free_port
from .packages import find

PATIENCE = 60
# Before anything is measured: the start of all.
WARM_UP = 4
# How much longer the plan is: looking on takes its time, and the run is interrupted anyway.
MORE = 60


class Nats:
    """A nats-server, and what its monitoring says."""

    def __init__(self, core, folder=None):
        self.port, self.monitor = free_port(), free_port()
        keeps = ["-js", "-sd", folder] if folder else []
        self.child = Child([find("nats-server"), "-a", "127.0.0.1", "-p", self.port,
                            "-m", self.monitor, *keeps], [core])
        self.url = f"nats://127.0.0.1:{self.port}"
        wait_for(self.totals)

    def totals(self):
        """Messages and bytes that have come in and gone out so far."""
        found = ask(f"http://127.0.0.1:{self.monitor}/varz")
        return {key: found[key] for key in ("in_msgs", "in_bytes", "out_msgs", "out_bytes")}

    def kept(self):
        """Entries and bytes of what it keeps in streams."""
        found = ask(f"http://127.0.0.1:{self.monitor}/jsz")
        return found["messages"], found["bytes"]


def ask(url, body=None):
    """What is there, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait_for(question, patience=PATIENCE):
    """The answer to a question, as soon as there is one."""
    until = time.monotonic() + patience
    while True:
        try:
            found = question()
            if found:
                return found
        except (OSError, KeyError, ValueError):
            # Not yet.
            pass
        if time.monotonic() > until:
            raise Failed(f"{question.__name__} had no answer in {patience} s")
        time.sleep(0.05)


def cpu_seconds(pid):
    """Processor time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident(pid):
    """Memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def crew(program, runners, names, seconds, server_core, client_core):
    """What it takes to hear so many runners, each of which reports so many names a second."""
    nats = Nats(client_core)
    metrics = free_port()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        controller = Child(
            [program, "controller", "evening", "--nats", nats.url, "--wait-for-runners", runners,
             "--metrics", metrics, "--report", report, "--duration",
             f"{WARM_UP + seconds + MORE}s"], [server_core])
        simulated = Child([program, "simulate", nats.url, runners, names], [client_core])
        api = f"http://127.0.0.1:{metrics}/api"

        def running():
            return ask(f"{api}/report")["duration_seconds"] >= WARM_UP

        wait_for(running)
        before, began = nats.totals(), time.monotonic()
        used = [cpu_seconds(child.pid) for child in (controller, nats.child)]
        time.sleep(seconds / 2)
        asked = time.time()
        try:
            ask(f"{api}/volume", {"factor": 1.5})
        except OSError as error:
            raise Failed(f"the run of {runners} runners was over before its time: {error}\n"
                         f"{controller.said()}") from error
        time.sleep(seconds / 2)
        took = time.monotonic() - began
        after = nats.totals()
        used = [cpu_seconds(child.pid) - start
                for child, start in zip((controller, nats.child), used)]
        memory = resident(controller.pid)
        os.kill(controller.pid, signal.SIGINT)
        ended = controller.wait(PATIENCE)
        heard = json.loads(simulated.wait(PATIENCE).output)
        requests = json.loads(report.read_text())["http"]["requests"]
    nats.child.stop()
    # Each hears of it once; what comes later is the plan going on.
    late = sorted(at - asked for at in heard if at >= asked)[:runners]
    if len(late) < runners:
        raise Failed(f"{len(late)} of {runners} runners heard of the new volume\n{ended.errors}")
    row = {
        "runners": runners, "names": names,
        "messages_per_second": (after["in_msgs"] - before["in_msgs"]) / took,
        "bytes_per_second": (after["in_bytes"] - before["in_bytes"]) / took,
        "controller_cpu": used[0] / took, "nats_cpu": used[1] / took,
        "controller_bytes": memory, "requests_told": requests,
        "volume_everywhere_seconds": max(late),
    }
    tell(f"   {runners} runners, {names} names: controller {row['controller_cpu']:.1%}, "
         f"nats {row['nats_cpu']:.1%}, new volume after {max(late) * 1000:.0f} ms")
    return row


def takeover(program, runners, names, seconds, server_core, client_core):
    """What it takes to go on with a run of so many seconds whose controller was killed."""
    with tempfile.TemporaryDirectory() as folder:
        nats = Nats(client_core, folder)
        metrics = free_port()
        report = Path(folder) / "report.json"
        command = [program, "controller", "evening", "--nats", nats.url, "--durable",
                   "--wait-for-runners", runners, "--metrics", metrics, "--report", report]

        def running():
            return ask(f"http://127.0.0.1:{metrics}/api/report")["duration_seconds"] >= seconds

        first = Child(command, [server_core])
        simulated = Child([program, "simulate", nats.url, runners, names], [client_core])
        wait_for(running, PATIENCE + seconds)
        entries, kept = nats.kept()
        used = cpu_seconds(first.pid)
        os.kill(first.pid, signal.SIGKILL)
        first.wait(PATIENCE)
        killed = time.monotonic()
        second = Child(command, [server_core])
        wait_for(running)
        took = time.monotonic() - killed
        used_again = cpu_seconds(second.pid)
        os.kill(second.pid, signal.SIGINT)
        ended = second.wait(PATIENCE)
        simulated.wait(PATIENCE)
        takeovers = json.loads(report.read_text())["generator"].get("takeovers", [])
        if len(takeovers) != 1:
            raise Failed(f"the run was taken over {len(takeovers)} times\n{ended.errors}")
        nats.child.stop()
    row = {
        "runners": runners, "names": names, "seconds": seconds,
        "entries_per_second": entries / seconds, "bytes_per_second": kept / seconds,
        "controller_cpu": used / seconds, "successor_cpu_seconds": used_again,
        "gap_seconds": takeovers[0]["gap_seconds"], "serves_after_seconds": took,
    }
    tell(f"   taken over after {seconds} s of {runners} runners, {names} names: gap "
         f"{row['gap_seconds']:.1f} s, {used_again:.2f} s of processor")
    return row


def put_takeovers(tables, rows):
    tables.add(
        "A controller with --durable that is killed and started again at once",
        ["runners", "names each", "seconds of run", "entries/s kept", "KiB/s kept",
         "controller, of a core", "successor, s of a core", "nobody led, s"],
        [[str(row["runners"]), str(row["names"]), str(row["seconds"]),
          f"{row['entries_per_second']:.0f}", f"{row['bytes_per_second'] / 1024:.1f}",
          f"{row['controller_cpu']:.1%}", f"{row['successor_cpu_seconds']:.2f}",
          f"{row['gap_seconds']:.1f}"] for row in rows],
    )


def put(tables, rows):
    tables.add(
        "Simulated runners, which report each second, and one controller",
        ["runners", "names each", "messages/s", "KiB/s", "controller, of a core",
         "nats-server, of a core", "controller, MiB", "new volume everywhere"],
        [[str(row["runners"]), str(row["names"]), f"{row['messages_per_second']:.0f}",
          f"{row['bytes_per_second'] / 1024:.0f}", f"{row['controller_cpu']:.1%}",
          f"{row['nats_cpu']:.1%}", f"{row['controller_bytes'] / 2**20:.0f}",
          f"{row['volume_everywhere_seconds'] * 1000:.0f} ms"] for row in rows],
    )
