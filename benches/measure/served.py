"""What it costs to be looked at: the same journeys with and without `--metrics`, scraped each second,
and with everything written down each second."""

import tempfile
import threading
import time
import urllib.request

from . import alone
from .child import Failed, tell
from .figures import spread, thousands
from .nginx import free_port

# So much less may the workers do; no more than rounds differ by anyway.
ASKED = 0.99

WAYS = ("without", "--metrics, nobody looks", "--metrics, scraped each second",
        "--report .csv, .hlog, .html")


class Scraper:
    """Asks for the metrics each second, as Prometheus does."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.scraped = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._scrape, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _scrape(self):
        while not self.over.wait(1):
            try:
                with urllib.request.urlopen(self.url, timeout=1) as answer:
                    self.scraped += len(answer.read()) > 0
            except OSError:
                # It has not begun, or is over.
                pass


def served(load, core, options):
    """Journeys of two transactions each, per second of CPU and per second, in each way."""
    rates = {way: [] for way in WAYS}
    each = {way: [] for way in WAYS}
    for number in range(options.rounds):
        for way in WAYS[number % len(WAYS):] + WAYS[:number % len(WAYS)]:
            began = time.monotonic()
            report, ended = measure(load, core, options, way)
            completed = report["journeys"][0]["completed"]
            rates[way].append(completed / ended.cpu_seconds)
            each[way].append(completed / report["duration_seconds"])
            tell(f"   {way}: {thousands(rates[way][-1])} a CPU second, "
                 f"{thousands(each[way][-1])} a second ({time.monotonic() - began:.0f} s)")
    rows = []
    for way in WAYS:
        median, least, most = spread(rates[way])
        ratios = [with_it / without for with_it, without in zip(rates[way], rates[WAYS[0]])]
        rows.append({"way": way, "median": median, "min": least, "max": most,
                     "per_second": spread(each[way])[0], "ratio": spread(ratios)[0]})
    return {"asked": ASKED, "met": all(row["ratio"] >= ASKED for row in rows), "rows": rows}


def measure(load, core, options, way):
    arguments = ["--users", 100, "--spawn-rate", 1_000_000, "--duration", f"{options.seconds}s"]
    if way == WAYS[0]:
        return alone.test(load, [core], "nested", *arguments)
    if way == WAYS[3]:
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("csv", "hlog", "html"):
                arguments += ["--report", f"{folder}/run.{ending}"]
            return alone.test(load, [core], "nested", *arguments)
    port = free_port()
    arguments += ["--metrics", port]
    if way == WAYS[1]:
        return alone.test(load, [core], "nested", *arguments)
    with Scraper(port) as scraper:
        found = alone.test(load, [core], "nested", *arguments)
    if scraper.scraped < options.seconds // 2:
        raise Failed(f"the metrics came {scraper.scraped} times in {options.seconds} s only")
    return found


def put_served(tables, found):
    tables.add(
        "Journeys of two transactions, 100 users on one worker, looked at from outside",
        ["", "per second of CPU", "min", "max", "per second", "of those without"],
        [[row["way"], thousands(row["median"]), thousands(row["min"]), thousands(row["max"]),
          thousands(row["per_second"]), f"{row['ratio']:.3f}"] for row in found["rows"]],
        [f"asked are {found['asked']:.2f} of those without: "
         f"{'met' if found['met'] else 'MISSED'}"],
    )
