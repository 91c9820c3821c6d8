"""What the workloads in Python share: whom they ask, and what they say where an answer is not the expected one.

Each is called as WORKLOAD.py HOST PORT SIDE [NAME=NUMBER...], with this folder on PYTHONPATH. SIDE is `one` where one
plain Redis answers, `sharded` where a proxy with several nodes does. It ends with 0 when every step went as expected.
"""

import sys
from contextlib import contextmanager

HOST, PORT, SIDE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
SHARDED = {"one": False, "sharded": True}[SIDE]
OPTIONS = {name: int(number) for name, number in (option.split("=") for option in sys.argv[4:])}


def expect(step, got, wanted):
    if got != wanted:
        sys.exit(f"{step}: expected {shown(wanted)}, got {shown(got)}")


def shown(value):
    text = repr(value)
    return text if len(text) <= 1000 else f"{text[:1000]}... ({len(text)} characters)"


@contextmanager
def refused(step, error, *texts):
    """The body ends in an error of exactly this class that says all of this."""
    try:
        yield
    except Exception as raised:
        if type(raised) is not error or not all(text in str(raised) for text in texts):
            sys.exit(f"{step}: expected {error.__name__} with {texts}, got {type(raised).__name__}: {raised}")
    else:
        sys.exit(f"{step}: expected {error.__name__} with {texts}, got no error")


def lose_a_node():
    """Has a node killed, and says which: HOST:PORT."""
    return told("node-down")


def get_it_back():
    """Has the killed node started again, empty."""
    return told("node-up")


def told(deed):
    print(deed, flush=True)
    return sys.stdin.readline().strip()
