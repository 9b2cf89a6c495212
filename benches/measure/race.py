"""mite and its peers against one server, in turn: requests per second of client CPU."""

from dataclasses import asdict, dataclass
from pathlib import Path

from .child import Failed, run, tell
from .contenders import Job, mite, peers, scratch
from .figures import spread, thousands
from .machine import Watch
from .nginx import Nginx

# What is asked of mite: against whom, at how many connections (any if none), at least how much.
TARGETS = [("before", None, 1.0), ("wrk", 100, 0.85), ("wrk", 1000, 0.55), ("oha", None, 1.1),
           ("goose", None, 1.8), ("k6", None, 5.0)]

NAMES = ["mite", "wrk", "oha", "goose", "hey", "k6"]


@dataclass
class Sample:
    """One contender, one round, so many connections."""

    contender: str
    connections: int
    round: int
    requests: int
    served: int
    cpu_seconds: float
    kernel_seconds: float
    wall_seconds: float
    # Shares of the client's core: given to other machines by the host, used by other processes.
    steal: float
    others: float
    exit_code: int

    @property
    def rate(self):
        """Requests per second of client CPU."""
        return self.requests / self.cpu_seconds

    @property
    def miscounted(self):
        """By how much its own count is off what the server saw, beyond what was under way."""
        return max(0, abs(self.served - self.requests) - self.connections)


def find_contenders(load, only, before):
    """Those that take part; whoever was wanted and is missing is said to be."""
    found = [mite(Path(before).resolve(), "before")] if before else []
    missing = []
    for contender in [mite(load, "mite"), *peers()]:
        if contender.name not in only:
            continue
        if contender.path or contender.look():
            found.append(contender)
        else:
            missing.append(f"{contender.name} was not found: {contender.missing}")
    for line in missing:
        tell(f"!! {line}")
    return found, missing


def race(contenders, missing, server_core, client_core, options):
    """All samples. A peer that fails is out of the race, and said to be."""
    samples = []
    with Nginx(server_core) as nginx:
        for number in range(options.rounds):
            for connections in options.connections:
                for contender in turn(contenders, number):
                    try:
                        sample = measure(contender, nginx, client_core, connections, number,
                                         options.seconds)
                    except (Failed, LookupError, ValueError) as error:
                        if contender.name == "mite":
                            raise
                        tell(f"!! {contender.name} is out: {error}")
                        contenders.remove(contender)
                        missing.append(f"{contender.name} did not do what it was to")
                        continue
                    samples.append(sample)
                    tell(line(sample))
        server = nginx.version()
    taking_part = [contender.name for contender in contenders]
    return [sample for sample in samples if sample.contender in taking_part], server


def turn(contenders, number):
    """Another order each round: begun elsewhere, and backwards every other time."""
    begin = number % len(contenders)
    order = contenders[begin:] + contenders[:begin]
    return order[::-1] if number % 2 else order


def measure(contender, nginx, core, connections, number, seconds):
    with scratch() as folder:
        job = Job(nginx.url, connections, seconds, Path(folder))
        before = nginx.requests()
        watch = Watch(core)
        ended = run(contender.command(contender.path, job), {core}, 60 + 10 * seconds,
                    contender.accept, directory=folder)
        wall, busy, steal = watch.read()
        # The question itself is a request as well.
        served = nginx.requests() - before - 1
        earlier, user, kernel = contender.before(ended)
        return Sample(
            contender=contender.name, connections=connections, round=number,
            requests=contender.requests(ended, job) - earlier, served=served - earlier,
            cpu_seconds=ended.cpu_seconds - user - kernel,
            kernel_seconds=ended.kernel_seconds - kernel,
            wall_seconds=ended.wall_seconds, steal=steal / wall,
            others=max(0.0, busy - ended.cpu_seconds) / wall, exit_code=ended.code,
        )


def line(sample):
    text = (f"   round {sample.round + 1}  {sample.connections:>5} connections  "
            f"{sample.contender:<6}{thousands(sample.rate):>8} requests/CPU s  "
            f"cpu {sample.cpu_seconds:.2f} of {sample.wall_seconds:.2f} s")
    if sample.steal > 0.02:
        text += f"  steal {sample.steal:.0%}"
    if sample.others > 0.1:
        text += f"  others {sample.others:.0%}"
    if sample.miscounted:
        text += f"  said {sample.requests}, nginx saw {sample.served}"
    if sample.exit_code:
        text += f"  ended with {sample.exit_code}"
    return text


def ratios(samples, one, other, connections):
    """The rate of one by that of another, round by round."""
    def rates(name):
        return {sample.round: sample.rate for sample in samples
                if sample.contender == name and sample.connections == connections}
    ours, theirs = rates(one), rates(other)
    return [ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys())]


def summarize(samples, contenders, connections):
    """A row a contender and number of connections, for JSON and for tables."""
    rows = []
    for count in connections:
        for contender in contenders:
            own = [sample for sample in samples
                   if sample.contender == contender.name and sample.connections == count]
            median, least, most = spread([sample.rate for sample in own])
            of_wrk = ratios(samples, contender.name, "wrk", count)
            rows.append({
                "contender": contender.name, "connections": count, "median": median,
                "min": least, "max": most,
                "of_wrk": spread(of_wrk)[0] if of_wrk else None,
                "user_seconds": spread([(sample.cpu_seconds - sample.kernel_seconds)
                                        / sample.requests for sample in own])[0],
                "kernel_seconds": spread([sample.kernel_seconds / sample.requests
                                          for sample in own])[0],
                "steal": max(sample.steal for sample in own),
                "others": max(sample.others for sample in own),
                "miscounted": max(sample.miscounted for sample in own),
            })
    return rows


def verdicts(samples, connections):
    """What was asked of mite, and whether it was so."""
    rows = []
    for peer, only, least in TARGETS:
        for count in connections:
            found = ratios(samples, "mite", peer, count) if only in (None, count) else []
            if found:
                median, low, high = spread(found)
                rows.append({"against": peer, "connections": count, "asked": least,
                             "ratio": median, "min": low, "max": high, "met": median >= least})
    return rows


def put(tables, rows, judged, contenders, missing, server, options):
    """The tables of a race."""
    versions = ", ".join(contender.version(contender.path) for contender in contenders)
    for count in options.connections:
        tables.add(
            f"{count} connections: requests per second of client CPU, {options.rounds} rounds of "
            f"{options.seconds} s",
            ["", "median", "min", "max", "of wrk", "own µs", "kernel µs", "steal", "others",
             "miscounted"],
            [[row["contender"], thousands(row["median"]), thousands(row["min"]),
              thousands(row["max"]), "-" if row["of_wrk"] is None else f"{row['of_wrk']:.2f}",
              f"{row['user_seconds'] * 1e6:.1f}", f"{row['kernel_seconds'] * 1e6:.1f}",
              f"{row['steal']:.1%}", f"{row['others']:.0%}", str(row["miscounted"])]
             for row in rows if row["connections"] == count],
        )
    notes = [f"{versions}; {server}", *missing]
    disturbed = [row for row in rows if row["others"] > 0.1 or row["steal"] > 0.02]
    if disturbed:
        notes.append("the client's core was not its own: steal and others (the most of any round) "
                     "say how much; measure again in a quiet hour")
    tables.add(
        "What is asked of mite", ["mite by", "connections", "asked", "found", "range", ""],
        [[row["against"], str(row["connections"]), f"{row['asked']:.2f}", f"{row['ratio']:.2f}",
          f"{row['min']:.2f} to {row['max']:.2f}", "met" if row["met"] else "MISSED"]
         for row in judged],
        notes,
    )


def as_json(samples, rows, judged, missing, server):
    return {
        "server": server, "missing": missing, "summary": rows, "verdicts": judged,
        "samples": [{**asdict(sample), "rate": sample.rate} for sample in samples],
    }
