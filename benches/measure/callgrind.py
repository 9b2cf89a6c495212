"""What callgrind has counted, by function and by what the function is for."""

import re
from collections import Counter

# The first rule that fits a function says what it is for.
GROUPS = [
    ("copying and comparing memory", r"^_*mem(cpy|move|set|cmp|chr)|compiler_builtins::mem"),
    ("allocator", r"malloc|^_*free$|_int_free|realloc|calloc|__rust_|__rdl_|unlink_chunk|tcache"),
    ("clock", r"clock_gettime|Timespec|Instant(>|::)|vdso"),
    ("statistics", r"(hdrhistogram|Statistics).*::record"),
    ("once a second", r"Recorder(>|::)take|RequestTable(>|::)take|hdrhistogram|Statistics|Capped|"
     r"mite::(controller|engine|report|link)"),
    ("statistics", r"mite::(stats|event)"),
    ("HTTP/1.1 on a connection", r"mite::http::(connection|codec|http1)|httparse|hyper|want::"),
    ("HTTP client", r"mite::http|\bhttp::|\burl::|http_body"),
    ("sockets", r"mite::net|socket|std::sys::net|std::net|TcpStream|\bnix::|^_*(send|recv|read|write"
     r"v?|poll)(to|from|msg)?(@|$)|asynccancel"),
    ("journey, context, users", r"mite::(context|journey|runner|volume|datapool|clock|error)|"
     r"\bload::|poll_fn"),
    ("runtime and its I/O driver", r"tokio|mio::|epoll|futures_"),
]


def group(function):
    for name, pattern in GROUPS:
        if re.search(pattern, function):
            return name
    return "the rest"


def read(path):
    """Instructions of each function by itself, without what it calls."""
    names = {}
    instructions = Counter()
    function = ""
    skip = False
    with open(path, errors="replace") as lines:
        for line in lines:
            first = line[:1]
            if first.isdigit() or first in "+-*":
                # The line after `calls=` is the cost of what was called.
                if skip:
                    skip = False
                else:
                    instructions[function] += int(line.split()[1])
            elif line.startswith("fn="):
                function = resolve(names, line[3:])
            elif line.startswith("cfn="):
                resolve(names, line[4:])
            elif line.startswith("calls="):
                skip = True
    return instructions


def resolve(names, text):
    """The name behind `(7)`, or `(7) name` the first time."""
    number, _, name = text.strip().partition(" ")
    if name:
        names[number] = name
    return names.get(number, number)


def busiest(folder, pattern):
    """The thread that did the most, which is the worker's, and what the others did in all."""
    threads = [read(path) for path in sorted(folder.glob(pattern))]
    threads.sort(key=lambda thread: sum(thread.values()), reverse=True)
    others = sum(sum(thread.values()) for thread in threads[1:])
    return threads[0], others
