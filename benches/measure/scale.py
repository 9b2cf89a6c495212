"""What one more costs: of users, of series, of workers, of seconds."""

import json
import math

from . import machine
from .alone import test
from .child import run, tell
from .figures import thousands
from .nginx import Nginx

MIB = 1 << 20

# Users at full rate have a connection each; one address has some 28,000 ports for them.
BUSY_USERS = [1, 10, 100, 1000, 10_000]
WAITING_USERS = [100, 1000, 10_000, 100_000]
WAITING_RATE = 5000
SERIES = [1, 10, 100, 1000, 10_000, 100_000]


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
            # Added as fast as they are to come back, so that the rate is the same all along.
            think = count / WAITING_RATE
            seconds = max(options.seconds, 2 * math.ceil(think))
            report, ended = test(
                programs / "load", [client_core], "visit", "--users", count, "--spawn-rate",
                WAITING_RATE, "--duration", f"{seconds}s", "--graceful-stop", "1ms",
                "--config", url, "--config", f"think_seconds={think}", patience=180)
            rows.append(user_row("most waiting", count, report, ended))
    notes = [f"those that wait come back so that there are some {WAITING_RATE:,} requests a second "
             "in all"]
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
        notes)
    return rows


def user_row(what, count, report, ended):
    requests = report["http"]["requests"]
    row = {"what": what, "users": count, "requests": requests,
           "cpu_a_request": ended.cpu_seconds / requests,
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
        rows.append(row)
        tell(f"   {count} series: taken in {row['take_seconds'] * 1e3:.2f} ms, merged in "
             f"{row['merge_seconds'] * 1e3:.2f} ms, {row['peak_rss_bytes'] / MIB:.1f} MiB")
    cells = []
    for before, row in zip([None, *rows], rows):
        cells.append([
            f"{row['asked']:,}", f"{row['cpu_seconds'] / row['duration_seconds']:.2f} s",
            f"{row['peak_rss_bytes'] / MIB:.1f} MiB",
            f"{row['take_seconds'] * 1e3:.2f} ms", growth(before, row, "take_seconds"),
            f"{row['merge_seconds'] * 1e3:.2f} ms", growth(before, row, "merge_seconds"),
            f"{(row['loop_lag_max'] or 0) * 1e3:.1f} ms",
        ])
    tables.add(
        "Series: transactions of as many names, 50,000 a second on one worker",
        ["series", "CPU a second", "peak memory", "snapshot", "grows by", "merge", "grows by",
         "loop lag max"], cells,
        ["snapshot and merge are of a second in which every series had a sample; *grows by* is how "
         "many times as much for each time as many: 1.0 is linear"])
    return rows


def growth(before, row, field):
    """The exponent from one step to the next, once the time is more than that of the clock."""
    if before is None or before[field] < 50e-6:
        return ""
    steps = math.log(row["asked"] / before["asked"])
    return f"{math.log(row[field] / before[field]) / steps:.2f}"


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
    tables.add(
        "Workers: journeys with two transactions and an event, 100 users",
        ["workers", "cores", "journeys a CPU second", "journeys a second", "peak memory"],
        [[str(row["workers"]), str(row["cores"]), thousands(row["a_cpu_second"]),
          thousands(row["a_second"]), f"{row['rss'] / MIB:.1f} MiB"] for row in rows])
    return rows


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
    tables.add(
        "Length: 100 users at full rate on one worker",
        ["seconds", "requests", "CPU a request", "peak memory"],
        [[str(row["seconds"]), thousands(row["requests"]),
          f"{row['cpu_a_request'] * 1e6:.2f} µs", f"{row['rss'] / MIB:.1f} MiB"]
         for row in rows])
    return rows
