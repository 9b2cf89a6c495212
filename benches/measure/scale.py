"""What one more costs: of users, of series, of workers, of seconds."""

import json
import math
import re

from . import machine
from .alone import test
from .child import Failed, run, tell
from .figures import thousands
from .nginx import Nginx
from .packages import find

MIB = 1 << 20

# Users at full rate have a connection each; one address has some 28,000 ports for them.
BUSY_USERS = [1, 10, 100, 1000, 10_000]
WAITING_USERS = [100, 1000, 10_000, 100_000]
WAITING_RATE = 5000
SERIES = [1, 10, 100, 1000, 10_000, 100_000]

# By how much one may become dearer from a step to the next. Processor time: what no longer fits
# into the processor's caches makes wrk's requests some 1.3 times as dear from 100 connections to
# 1000. Counted instructions have no such excuse, and no noise.
DEARER = 1.5
MORE_INSTRUCTIONS = 1.05
# By how much of the first row a row must pass it for the difference to be more than chance, and by
# how much more memory a longer run may have.
WORTH_JUDGING = 0.2
MORE_MEMORY = 1.05


class Judge:
    """Whether any step was worse than linear: what one costs, in each row and the one before."""

    def __init__(self, rows, name):
        self.rows = rows
        self.name = name
        self.notes = []
        self.linear = True

    def look(self, what, cost, limit=DEARER, rows=None):
        """Judges by a cost of one, or of one of the rows alone."""
        rows = self.rows if rows is None else rows
        steps = [(cost(row) / cost(before), before[self.name], row[self.name])
                 for before, row in zip(rows, rows[1:])]
        most, few, many = max(steps, default=(1.0, 0, 0))
        holds = most <= limit
        self.linear &= holds
        self.notes.append(
            f"{what}: from one row to the next at most {most:.2f} times as much (from {few:,} to "
            f"{many:,}), allowed are {limit:g}: {'linear' if holds else 'WORSE THAN LINEAR'}")

    def grow(self, what, measure, limit=DEARER, rows=None):
        """Judges by what each one adds to the first row, which has what even one costs. Rows that
        add next to nothing say nothing."""
        first, *rows = self.rows if rows is None else rows
        base = measure(first)
        rows = [row for row in rows if measure(row) > base * (1 + WORTH_JUDGING)]
        self.look(f"{what}, beyond that of {first[self.name]:,}",
                  lambda row: (measure(row) - base) / (row[self.name] - first[self.name]),
                  limit, rows)

    def found(self):
        return {"linear": self.linear, "judged": self.notes, "rows": self.rows}


def users(programs, server_core, client_core, options, tables):
    """Processor time of a request and memory of a user, however many there are."""
    rows = []
    with Nginx(server_core) as nginx:
        url = f"base_url={nginx.url}"
        possible = [count for count in BUSY_USERS if count * 1.2 + 100 < machine.descriptors()]
        for count in possible:
            # Each opens a connection, which costs as much as some ten requests.
            seconds = max(options.seconds, count // 500)
            report, ended = test(
                programs / "load", [client_core], "get", "--users", count, "--spawn-rate",
                1_000_000, "--duration", f"{seconds}s", "--config", url)
            rows.append(user_row("at full rate", count, report, ended))
        for count in WAITING_USERS:
            # Added as fast as they are to come back, so that the rate is the same all along. The
            # worker wakes for each that is added, and for some at a time that come back; so what
            # adding them takes is measured by itself, and taken away.
            think = count / WAITING_RATE
            adding, all_of_it = (
                test(programs / "load", [client_core], "visit", "--users", count, "--spawn-rate",
                     WAITING_RATE, "--duration", f"{seconds}s", "--graceful-stop", "1ms",
                     "--config", url, "--config", f"think_seconds={think}", patience=180)
                for seconds in (math.ceil(think) + 1, 2 * math.ceil(think) + 1 + options.seconds))
            rows.append(user_row("most waiting", count, *all_of_it, without=adding))
    judge = Judge(rows, "users")
    for what in ("at full rate", "most waiting"):
        same = [row for row in rows if row["what"] == what]
        judge.look(f"CPU a request, {what}", lambda row: row["cpu_a_request"], rows=same)
        judge.grow(f"memory a user, {what}", lambda row: row["rss"], rows=same)
    notes = [f"those that wait come back so that there are some {WAITING_RATE:,} requests a second "
             "in all, measured from when they have all been added"]
    notes += [f"{count:,} users at full rate were left out: the limit of open files is "
              f"{machine.descriptors():,}" for count in BUSY_USERS if count not in possible]
    tables.add(
        "Users on one worker",
        ["", "users", "requests", "CPU a request", "peak memory", "a user", "loop lag p99",
         "verdict"],
        [[row["what"], f"{row['users']:,}", thousands(row["requests"]),
          f"{row['cpu_a_request'] * 1e6:.2f} µs", f"{row['rss'] / MIB:.1f} MiB",
          f"{row['rss'] / row['users'] / 1024:.1f} KiB", f"{row['loop_lag_p99'] * 1e3:.1f} ms",
          row["verdict"]] for row in rows],
        notes + judge.notes)
    return judge.found()


def user_row(what, count, report, ended, without=None):
    requests, seconds = report["http"]["requests"], ended.cpu_seconds
    if without:
        requests -= without[0]["http"]["requests"]
        seconds -= without[1].cpu_seconds
    row = {"what": what, "users": count, "requests": requests,
           "cpu_a_request": seconds / requests,
           "rss": report["generator"]["peak_rss_bytes"],
           "loop_lag_p99": report["generator"]["loop_lag"].get("p99", 0.0),
           "verdict": report["verdict"]}
    tell(f"   {count} users {what}: {row['cpu_a_request'] * 1e6:.2f} µs of CPU a request")
    return row


def series(programs, _, client_core, options, tables):
    """What a second costs that has so many series in it."""
    rows = []
    for count in SERIES:
        ended = run([programs / "series", count, options.seconds], {client_core}, 180)
        row = json.loads(ended.output.splitlines()[-1])
        row["asked"] = count
        counted = [instructions(programs / "series", count, step, client_core)
                   for step in ("filled", "taken", "merged")]
        row["take_instructions"] = counted[1] - counted[0]
        row["merge_instructions"] = counted[2] - counted[1]
        rows.append(row)
        tell(f"   {count} series: taken in {row['take_seconds'] * 1e3:.2f} ms, merged in "
             f"{row['merge_seconds'] * 1e3:.2f} ms, {row['peak_rss_bytes'] / MIB:.1f} MiB")
    judge = Judge(rows, "asked")
    judge.grow("memory a series", lambda row: row["peak_rss_bytes"])
    judge.look("instructions of a take and a merge, for each series",
               lambda row: (row["take_instructions"] + row["merge_instructions"]) / row["asked"],
               MORE_INSTRUCTIONS)
    tables.add(
        "Series: transactions of as many names, 50,000 a second on one worker",
        ["series", "CPU a second", "peak memory", "take", "a series", "instructions", "merge",
         "a series", "instructions", "loop lag max"],
        [[f"{row['asked']:,}", f"{row['cpu_seconds'] / row['duration_seconds']:.2f} s",
          f"{row['peak_rss_bytes'] / MIB:.1f} MiB", *snapshot(row, "take"),
          *snapshot(row, "merge"), f"{(row['loop_lag_max'] or 0) * 1e3:.1f} ms"]
         for row in rows],
        ["take and merge are of a second in which every series had a sample; *a series* and "
         "*instructions* are for each of them",
         "where the time grows and the instructions do not, they wait for memory: a series in a "
         "second is some KiB, and thousands of them are in no cache"]
        + judge.notes)
    return judge.found()


def snapshot(row, step):
    """Taking or merging a second: in all, and the time and the instructions of one series."""
    seconds, counted = row[f"{step}_seconds"], row[f"{step}_instructions"]
    return [f"{seconds * 1e3:.2f} ms", f"{seconds / row['asked'] * 1e6:.2f} µs",
            f"{counted / row['asked']:,.0f}"]


def instructions(program, count, step, core):
    """How many instructions the program has executed when it has come as far as this step."""
    ended = run([find("valgrind"), "--tool=cachegrind", "--cache-sim=no",
                 "--cachegrind-out-file=/dev/null", program, count, step], {core}, 180)
    found = re.search(r"I\s+refs:\s+([\d,]+)", ended.errors)
    if not found:
        raise Failed(f"valgrind does not say how many instructions there were\n{ended.errors}")
    return int(found.group(1).replace(",", ""))


def workers(programs, _, __, options, tables):
    """Whether workers get in each other's way: nothing on a journey's path is shared."""
    cores = machine.cores()
    rows = []
    counts = [*range(1, len(cores) + 1), 2 * len(cores), 4 * len(cores)]
    for count in counts:
        on = cores[-count:] if count < len(cores) else cores
        report, ended = test(
            programs / "load", on, "nested", "--users", 100, "--spawn-rate", 1_000_000,
            "--duration", f"{options.seconds}s", workers=count)
        journeys = report["journeys"][0]["completed"]
        rows.append({"workers": count, "cores": len(on), "journeys": journeys,
                     "a_cpu_second": journeys / ended.cpu_seconds,
                     "a_second": journeys / report["duration_seconds"],
                     "rss": report["generator"]["peak_rss_bytes"]})
        tell(f"   {count} workers on {len(on)} cores: {thousands(rows[-1]['a_cpu_second'])} "
             "journeys a CPU second")
    judge = Judge(rows, "workers")
    judge.look("CPU a journey", lambda row: 1 / row["a_cpu_second"])
    tables.add(
        "Workers: journeys with two transactions and an event, 100 users",
        ["workers", "cores", "journeys a CPU second", "journeys a second", "peak memory"],
        [[str(row["workers"]), str(row["cores"]), thousands(row["a_cpu_second"]),
          thousands(row["a_second"]), f"{row['rss'] / MIB:.1f} MiB"] for row in rows],
        judge.notes)
    return judge.found()


def length(programs, server_core, client_core, options, tables):
    """Whether a longer run costs more a request; scripts/soak looks at memory for longer."""
    rows = []
    with Nginx(server_core) as nginx:
        for seconds in [options.seconds, 4 * options.seconds, 16 * options.seconds]:
            report, ended = test(
                programs / "load", [client_core], "get", "--users", 100, "--spawn-rate", 1_000_000,
                "--duration", f"{seconds}s", "--config", f"base_url={nginx.url}",
                patience=60 + 2 * seconds)
            rows.append({**user_row("", 100, report, ended), "seconds": seconds})
    judge = Judge(rows, "seconds")
    judge.look("CPU a request", lambda row: row["cpu_a_request"])
    judge.look("memory of the process", lambda row: row["rss"], MORE_MEMORY)
    tables.add(
        "Length: 100 users at full rate on one worker",
        ["seconds", "requests", "CPU a request", "peak memory"],
        [[str(row["seconds"]), thousands(row["requests"]),
          f"{row['cpu_a_request'] * 1e6:.2f} µs", f"{row['rss'] / MIB:.1f} MiB"]
         for row in rows],
        judge.notes)
    return judge.found()
