"""How the scripts begin and end, and what their options have in common."""

import argparse
import sys

from .child import Failed, tidy_up
from .machine import Unfit


def start(name, main):
    """Runs a script; what is wrong is one message, and what it started ends with it."""
    tidy_up()
    try:
        sys.exit(main())
    except (Unfit, Failed) as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def parser(name, description):
    return argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_common(parser):
    """The options every script has: what is measured, and what becomes of the result."""
    parser.add_argument("--no-build", action="store_true",
                        help="take the programs as they were built last")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--markdown", metavar="PAGE", nargs="?", const="-",
                        help="print the tables as Markdown, or put them into PAGE between its "
                             "marks")


def above_zero(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def counts(text):
    return [above_zero(part) for part in text.split(",")]


def one_of(everything):
    """Names separated by commas."""

    def names(text):
        wanted = text.split(",")
        unknown = [name for name in wanted if name not in everything]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(unknown)}, only {', '.join(everything)}")
        return wanted

    return names
