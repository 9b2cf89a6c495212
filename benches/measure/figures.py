"""Numbers for people: medians, tables, and a place for them in a page."""

import re
import statistics
from datetime import date
from pathlib import Path

from .machine import Unfit


def spread(values):
    """Median, smallest and largest."""
    return statistics.median(values), min(values), max(values)


def thousands(value):
    return f"{value / 1000:.1f}k" if value < 1e6 else f"{value / 1e6:.2f}M"


def plain(heads, rows):
    """A table for a terminal."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(heads, rows):
    """A table for a page."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


class Tables:
    """Tables with their titles, to be printed or put into a page."""

    def __init__(self, script):
        self.script = script
        self.parts = []

    def add(self, title, heads, rows, notes=()):
        self.parts.append((title, heads, rows, list(notes)))

    def plain(self):
        return "\n\n".join(
            "\n".join([title, "", plain(heads, rows), *notes])
            for title, heads, rows, notes in self.parts
        )

    def markdown(self):
        blocks = []
        for title, heads, rows, notes in self.parts:
            blocks += [f"**{title}**", markdown(heads, rows)]
            blocks += ["\n".join(f"- {note}" for note in notes)] if notes else []
        return "\n\n".join(blocks)

    def show(self, how, machine):
        """Prints the tables, as Markdown if asked for; a page to be changed is the third way."""
        if how is None:
            print(f"{machine}\n\n{self.plain()}")
            return
        text = f"Measured {date.today()} on {machine}.\n\n{self.markdown()}"
        if how == "-":
            print(text)
        else:
            replace(how, self.script, text)


def replace(page, script, text):
    """Puts the text between the marks of the script in a page."""
    begin, end = f"<!-- {script}: begin -->", f"<!-- {script}: end -->"
    before = Path(page).read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(before):
        raise Unfit(f"{page} has no place for this: a line {begin!r} and, below it, {end!r}")
    after = pattern.sub(lambda _: f"{begin}\n{text}\n{end}", before)
    Path(page).write_text(after)
