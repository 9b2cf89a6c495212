"""mite without a server: journeys that do nothing, users that wait, starts that are due."""

from pathlib import Path

from .child import Failed, run, tell
from .contenders import read_report, scratch
from .figures import spread, thousands

NOOPS_ASKED = 2.5e6
IDLE_USERS = 100_000
IDLE_ASKED = 1024
STARTS = 20_000
DELAY_ASKED = 0.001


def test(load, on, journey, *arguments, workers=1, wrapper=(), patience=120):
    """The report of `journey test` on these cores, and the processor time of the whole process."""
    with scratch() as folder:
        report = Path(folder) / "report.json"
        command = [*wrapper, load, "journey", "test", journey, "--workers", workers, "--quiet",
                   "--report", report, *arguments]
        # On a machine that is busy with something else a run may be invalid; its counts are right.
        ended = run(command, set(on), patience, accept=(0, 3), directory=folder)
        return read_report(report), ended


def noop(load, core, options):
    """Journeys per second of CPU that do nothing, and that have two transactions and an event."""
    rows = []
    for journey, what in (("nothing", "nothing"), ("nested", "two transactions and an event")):
        rates = []
        for _ in range(options.rounds):
            report, ended = test(load, [core], journey, "--users", 100, "--spawn-rate", 1_000_000,
                                 "--duration", f"{options.seconds}s")
            rates.append(report["journeys"][0]["completed"] / ended.cpu_seconds)
            tell(f"   journeys with {what}: {thousands(rates[-1])} a CPU second")
        median, least, most = spread(rates)
        rows.append({"journey": journey, "what": what, "median": median, "min": least,
                     "max": most})
    return {"asked": NOOPS_ASKED, "met": rows[0]["median"] >= NOOPS_ASKED, "rows": rows}


def put_noop(tables, found):
    tables.add(
        "Journeys without a request, per second of CPU, 100 users on one worker",
        ["", "median", "min", "max"],
        [[row["what"], thousands(row["median"]), thousands(row["min"]), thousands(row["max"])]
         for row in found["rows"]],
        [f"asked are {thousands(found['asked'])} with nothing: "
         f"{'met' if found['met'] else 'MISSED'}"],
    )


def idle(load, core, options):
    """Bytes of a user that waits."""
    with scratch() as folder:
        said = run([load, "journey", "run", "idle_size"], {core}, 60, directory=folder).output
    future = next((int(line) for line in said.splitlines() if line.strip().isdigit()), None)
    if future is None:
        raise Failed(f"idle_size does not say how large the future is:\n{said}")

    def peak(users):
        arguments = ["--users", users, "--spawn-rate", 1_000_000, "--duration",
                     f"{options.seconds}s", "--graceful-stop", "1ms"]
        report, _ = test(load, [core], "idle", *arguments)
        return report["generator"]["peak_rss_bytes"]

    alone, crowd = peak(1), peak(IDLE_USERS)
    each = (crowd - alone) / (IDLE_USERS - 1)
    tell(f"   {IDLE_USERS} idle users: {each:.0f} bytes each, {future} of them the future's")
    return {"users": IDLE_USERS, "rss_alone": alone, "rss": crowd, "bytes_each": each,
            "future": future, "asked": IDLE_ASKED, "met": each - future <= IDLE_ASKED}


def put_idle(tables, found):
    tables.add(
        f"Memory of {found['users']:,} users that wait in one pause",
        ["", "bytes"],
        [["peak of the process with 1 user", f"{found['rss_alone']:,}"],
         [f"with {found['users']:,}", f"{found['rss']:,}"],
         ["each user", f"{found['bytes_each']:,.0f}"],
         ["of which the future of the journey", f"{found['future']:,}"],
         ["beyond it", f"{found['bytes_each'] - found['future']:,.0f}"]],
        [f"asked are at most {found['asked']:,} beyond the future: "
         f"{'met' if found['met'] else 'MISSED'}"],
    )


def pacing(load, core, options):
    """How late starts are at 20,000 a second, and what that costs."""
    with scratch() as folder:
        offers = run([load, "journey", "test", "--help"], {core}, 60, directory=folder).output
    ways = [("as it is", [])]
    if "--precise" in offers:
        ways.append(("--precise", ["--precise"]))
    rows = []
    for name, extra in ways:
        found = []
        for _ in range(options.rounds):
            report, ended = test(load, [core], "nothing", "--rate", STARTS, "--duration",
                                 f"{options.seconds}s", *extra)
            delay = report["journeys"][0]["start_delay"]
            found.append((delay["p50"], delay["p99"], delay["max"],
                          ended.cpu_seconds / report["duration_seconds"], report["verdict"]))
            tell(f"   {STARTS} starts/s {name}: delay p50 {delay['p50'] * 1e3:.3f} ms, "
                 f"p99 {delay['p99'] * 1e3:.3f} ms")
        p50, p99, longest, core_used, verdicts = zip(*found)
        rows.append({"way": name, "p50": spread(p50)[0], "p99": spread(p99)[0],
                     "p99_max": max(p99), "max": max(longest), "core_used": spread(core_used)[0],
                     "verdicts": list(verdicts)})
    return {"starts": STARTS, "asked": DELAY_ASKED, "met": rows[0]["p99"] < DELAY_ASKED,
            "rows": rows}


def put_pacing(tables, found):
    tables.add(
        f"Start delay at {found['starts']:,} starts a second on one worker",
        ["", "p50", "p99", "worst p99", "max", "core used"],
        [[row["way"], *(f"{row[name] * 1e3:.3f} ms" for name in ("p50", "p99", "p99_max", "max")),
          f"{row['core_used']:.0%}"] for row in found["rows"]],
        [f"asked is a p99 below {found['asked'] * 1e3:.0f} ms without spinning: "
         f"{'met' if found['met'] else 'MISSED'}"],
    )
