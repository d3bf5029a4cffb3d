"""The record set that every program produces, and the way a scenario is run and told."""

import os
import sys
import time
import traceback

BOOTSTRAP = os.environ["BOOTSTRAP"]
PREFIX = os.environ["PREFIX"]
COUNT = 100
BASE_TIME = int(time.time() * 1000) // 1000 * 1000 - 3_600_000


def record(i):
    """Key, value, headers and timestamp of record `i`: nulls, empties, multi-byte text, bytes that are no text, headers that repeat."""
    key = None if i % 5 == 0 else b"" if i % 10 == 1 else b"key-%d" % (i % 10)
    value = None if i % 7 == 0 else b"" if i % 7 == 1 else ("value %d ß値🜁 " % i).encode() * i + b"\x00\xff"
    headers = (
        [],
        [("h", b"v%d" % i)],
        [("dup", b"1"), ("dup", b"2"), ("utf-ß", "値".encode())],
        [("empty", b""), ("null", None)],
    )[i % 4]
    return key, value, headers, BASE_TIME + i * 1000


RECORDS = [record(i) for i in range(COUNT)]


class NoSuchCall(Exception):
    """The client has no call for what the scenario asks."""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def same(got, expected):
    """Two lists of (key, value, headers, timestamp), byte for byte."""
    expect(len(got) == len(expected), f"{len(got)} records, {len(expected)} expected")
    for i, (one, other) in enumerate(zip(got, expected)):
        expect(tuple(one) == tuple(other), f"record {i} is {str(one)[:200]}, sent was {str(other)[:200]}")


def tell(name, failure):
    if failure is None:
        print(f"ok {name}", flush=True)
    elif isinstance(failure, NoSuchCall):
        print(f"n/a {name}: {failure}", flush=True)
    else:
        where = traceback.extract_tb(failure.__traceback__)[-1]
        why = f"{type(failure).__name__}: {failure}".replace("\n", " ")[:500]
        print(f"FAIL {name}: {why} ({os.path.basename(where.filename)}:{where.lineno})", flush=True)


def chosen(name):
    return len(sys.argv) < 2 or name in sys.argv[1:]


def run(scenarios):
    """Runs functions by the name of their scenario; names on the command line choose some."""
    for name, scenario in scenarios.items():
        if not chosen(name):
            continue
        try:
            scenario()
            tell(name, None)
        except Exception as failure:
            tell(name, failure)
