"""
The scenarios of compat/scenarios.json over any client that has these calls (`kafka_python.py` is the plainest). A reader has `read(seconds)`, which waits for at least one record, and `close()`; a
member of a group is a reader with `assigned()`, the number of its partitions, and `commit(topic, partition, offset)`. A transactional producer has `begin()`, `send(topic, partition, records)`, which waits for
the acknowledgements, `send_offset(member, group, topic, partition, offset)`, `end(commit)` and `close()`. Records are (key, value, headers, timestamp). `sendable` turns a
record that the client refuses to send into the nearest that it sends.
"""

import os
import sys
import threading
import time
import traceback
from functools import partial

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


EARLIEST, LATEST = -2, -1


def take(reader, count, seconds=60):
    """Each read long enough for a group to be joined within it, also on a machine that does other things: see Listening."""
    records = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        records.extend(reader.read(min(5, seconds)))
    return records


class Listening:
    """
    A member of a group that is read in turns with others; or by a thread of its own, where the client says that it `reads_alone`. kafka-python does: left alone between two
    short reads, it can throw away the answer to its join and join again, so that two members that are read in turns may never stand still. confluent-kafka does not: another
    thread that asks for the assignment was seen to wait for as long as one reads without a pause. See FINDINGS.md.
    """

    def __init__(self, member, hear, alone):
        self.member, self.hear = member, hear
        self.failure = None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True) if alone else None
        if alone:
            self.thread.start()

    def run(self):
        try:
            while not self.is_over.is_set():
                self.hear(self.member.read(2))
        except Exception as failure:
            self.failure = failure

    def turn(self):
        if self.failure is not None:
            raise self.failure
        if self.thread is None:
            self.hear(self.member.read(0.1))
        else:
            time.sleep(0.02)

    def assigned(self):
        return self.member.assigned()

    def close(self):
        self.is_over.set()
        if self.thread is not None:
            self.thread.join()
        self.member.close()


class Scenarios:
    """Each method is a scenario; `client` is the adapter of one library."""

    def __init__(self, client):
        self.client = client
        RECORDS[:] = [client.sendable(*one) for one in RECORDS]

    def topic(self, name, partitions=1):
        full = f"{PREFIX}-{name}"
        self.client.create_topic(full, partitions, {"retention.ms": "-1"})
        return full

    def produce(self, name, records=RECORDS, partition=0, codec="none", acks="all", idempotent=False):
        return self.client.produce(name, partition, records, codec, acks, idempotent)

    def filled(self, name):
        full = self.topic(name)
        self.produce(full)
        return full

    def read(self, name, count, offset=EARLIEST):
        reader = self.client.consume(name, 0, offset)
        try:
            return take(reader, count)
        finally:
            reader.close()

    def round_trip(self, name, **settings):
        full = self.topic(name)
        offsets = self.produce(full, **settings)
        same(self.read(full, COUNT), RECORDS)
        if settings.get("acks") != "0":
            expect(offsets == list(range(COUNT)), f"the offsets told are {offsets[:5]} and so on")

    def create(self):
        name = self.topic("create", 3)
        try:
            self.topic("create", 3)
        except Exception as refused:
            expect(self.client.is_topic_exists(refused), f"second creation: {refused!r}")
        else:
            raise AssertionError("created twice")
        expect(name in self.client.topics(), "not listed")

    def describe(self):
        name = f"{PREFIX}-create"
        leaders, brokers = self.client.topic(name)
        expect(brokers == 1, f"{brokers} brokers")
        expect(len(leaders) == 3 and len(set(leaders)) == 1, f"leaders {leaders}")
        expect(self.client.topic_config(name, "retention.ms") == "-1", "retention.ms")

    def alter_config(self):
        name = f"{PREFIX}-create"
        self.client.alter_topic_config(name, "retention.ms", "3600000")
        expect(self.client.topic_config(name, "retention.ms") == "3600000", "retention.ms")

    def add_partitions(self):
        name = f"{PREFIX}-create"
        self.client.add_partitions(name, 5)
        expect(len(self.client.topic(name)[0]) == 5, "partitions")

    def large(self):
        name = self.topic("large")
        sent = [self.client.sendable(None, os.urandom(900_000), [], BASE_TIME)]
        self.produce(name, sent)
        same(self.read(name, 1), sent)

    def many(self):
        name = self.topic("many", 4)
        for partition in range(4):
            for start in range(0, 2500, 500):
                values = [f"{partition} {i} ".encode() * 125 for i in range(start, start + 500)]
                self.produce(name, [self.client.sendable(None, value, [], BASE_TIME) for value in values], partition)
        member = self.client.join(f"{PREFIX}-many", name, "one")
        seen = [[], [], [], []]
        for _, value, _, _ in take(member, 10_000, 90):
            partition, i, *_ = value.split()
            expect(value == b"%s %s " % (partition, i) * 125, f"value {value[:50]}")
            seen[int(partition)].append(int(i))
        for partition in range(4):
            expect(seen[partition] == list(range(2500)), f"partition {partition}: {len(seen[partition])} records, or not in order")
        member.close()

    def from_offset(self):
        same(self.read(self.filled("from-offset"), COUNT - 40, 40), RECORDS[40:])

    def from_end(self):
        name = self.filled("from-end")
        reader = self.client.consume(name, 0, LATEST)
        expect(reader.read(2) == [], "a record from before")
        self.produce(name, RECORDS[7:8])
        same(take(reader, 1), RECORDS[7:8])
        reader.close()

    def from_timestamp(self):
        name = self.filled("from-timestamp")
        offset = self.client.offset_at(name, 0, BASE_TIME + 49_500)
        expect(offset == 50, f"offset {offset}")
        same(self.read(name, COUNT - 50, offset), RECORDS[50:])

    def list_offsets(self):
        name = self.filled("list-offsets")
        for at, expected in ((EARLIEST, 0), (LATEST, COUNT), (BASE_TIME + 10_000_000, -1)):
            offset = self.client.offset_at(name, 0, at)
            expect(offset == expected, f"{at}: offset {offset}, {expected} expected")

    def delete_records(self):
        name = self.filled("delete-records")
        self.client.delete_records(name, 0, 30)
        offset = self.client.offset_at(name, 0, EARLIEST)
        expect(offset == 30, f"earliest is {offset}")
        same(self.read(name, COUNT - 30), RECORDS[30:])

    def commit_resume(self):
        name, group = self.filled("commit-resume"), f"{PREFIX}-commit-resume"
        one = self.client.join(group, name, "one")
        same(take(one, COUNT), RECORDS)
        one.commit(name, 0, 60)
        one.close()
        two = self.client.join(group, name, "two")
        same(take(two, COUNT - 60), RECORDS[60:])
        two.close()

    def group_join_leave(self):
        name, group = self.topic("group-join-leave", 4), f"{PREFIX}-group-join-leave"
        seen = set()

        def until(what, holds, *members):
            deadline = time.monotonic() + 90
            while not holds():
                expect(time.monotonic() < deadline, f"{what}: {len(seen)} seen, shares {[one.assigned() for one in members]}")
                for one in members:
                    one.turn()

        def join(client_id):
            member = self.client.join(group, name, client_id)
            hear = lambda records: seen.update(value for _, value, _, _ in records)
            return Listening(member, hear, getattr(self.client, "reads_alone", False))

        def send(word, count):
            for partition in range(4):
                batch = [(None, b"%s-%d-%d" % (word, partition, i), [], BASE_TIME) for i in range(count)]
                self.produce(name, batch, partition)

        one = join("one")
        until("first alone", lambda: one.assigned() == 4, one)
        two = join("two")
        until("second joined", lambda: one.assigned() == 2 and two.assigned() == 2, one, two)
        send(b"both", 25)
        until("both read", lambda: len(seen) == 100, one, two)
        two.close()
        until("second left", lambda: one.assigned() == 4, one)
        send(b"late", 1)
        until("first reads on", lambda: len(seen) == 104, one)
        one.close()

    def describe_group(self):
        name, group = self.filled("describe-group"), f"{PREFIX}-describe-group"
        one = self.client.join(group, name, "describe-me")
        take(one, COUNT)
        one.commit(name, 0, COUNT)
        expect(group in self.client.groups(), "not listed")
        state, members = self.client.group(group)
        expect(state.lower() == "stable", f"state {state}")
        expect(members == [("describe-me", [(name, 0)])], f"members {members}")
        offset = self.client.committed(group, name, 0)
        expect(offset == COUNT, f"committed {offset}")
        one.close()

    def delete_group(self):
        group = f"{PREFIX}-describe-group"
        self.client.delete_group(group)
        expect(group not in self.client.groups(), "still listed")

    def delete_topic(self):
        name = self.topic("delete-topic")
        self.client.delete_topic(name)
        expect(name not in self.client.topics(), "still listed")

    def isolated(self, isolation, name, count, partition=0, seconds=60):
        reader = self.client.consume_isolated(name, partition, isolation)
        try:
            return take(reader, count, seconds)
        finally:
            reader.close()

    def nothing_committed(self, name):
        seen = self.isolated("read_committed", name, 1, seconds=1)
        expect(seen == [], f"{len(seen)} records are seen before they are committed")

    def producer(self, name, timeout_ms=30_000):
        return self.client.transactional(f"{PREFIX}-{name}", timeout_ms)

    def txn_commit(self):
        producer, name = self.producer("txn-commit"), self.topic("txn-commit", 2)
        producer.begin()
        for partition in range(2):
            producer.send(name, partition, RECORDS)
        same(self.isolated("read_uncommitted", name, COUNT), RECORDS)
        self.nothing_committed(name)
        producer.end(True)
        for partition in range(2):
            same(self.isolated("read_committed", name, COUNT, partition), RECORDS)
            end = self.client.offset_at(name, partition, LATEST)
            expect(end == COUNT + 1, f"the end is {end}, a marker stands behind {COUNT} records")
        producer.close()

    def txn_abort(self):
        producer, name = self.producer("txn-abort"), self.topic("txn-abort")
        producer.begin()
        producer.send(name, 0, RECORDS[:40])
        producer.end(False)
        producer.begin()
        producer.send(name, 0, RECORDS[40:])
        producer.end(True)
        same(self.isolated("read_committed", name, 60), RECORDS[40:])
        same(self.isolated("read_uncommitted", name, COUNT), RECORDS)
        producer.close()

    def refused(self, producer):
        try:
            producer.end(True)
        except Exception:
            return
        raise AssertionError("a transaction that cannot be committed was")

    def txn_fenced(self):
        one, name = self.producer("txn-fenced"), self.topic("txn-fenced")
        one.begin()
        one.send(name, 0, RECORDS[:10])
        two = self.producer("txn-fenced")
        two.begin()
        two.send(name, 0, RECORDS[10:20])
        self.refused(one)
        two.end(True)
        same(self.isolated("read_committed", name, 10), RECORDS[10:20])
        two.close()
        one.close()

    def committed_or_none(self, group, name):
        try:
            offset = self.client.committed(group, name, 0)
        except KeyError:
            return None
        return None if offset < 0 else offset

    def txn_offsets(self):
        producer = self.producer("txn-offsets")
        source, target, group = self.filled("txn-offsets"), self.topic("txn-offsets-copy"), f"{PREFIX}-txn-offsets"
        member = self.client.join(group, source, "one")
        records = take(member, COUNT)
        same(records, RECORDS)
        for commit in (False, True):
            producer.begin()
            producer.send(target, 0, records)
            producer.send_offset(member, group, source, 0, COUNT if commit else 50)
            early = self.committed_or_none(group, source)
            expect(early is None, f"{early} is committed before the transaction is")
            producer.end(commit)
        deadline = time.monotonic() + 60
        while (offset := self.committed_or_none(group, source)) != COUNT:
            expect(time.monotonic() < deadline, f"committed {offset}")
            time.sleep(0.02)
        same(self.isolated("read_committed", target, COUNT), RECORDS)
        producer.close()
        member.close()

    def txn_timeout(self):
        slow, other = self.producer("txn-timeout", 4000), self.producer("txn-timeout-other")
        name = self.topic("txn-timeout")
        slow.begin()
        slow.send(name, 0, RECORDS[:10])
        other.begin()
        other.send(name, 0, RECORDS[10:20])
        other.end(True)
        same(self.isolated("read_committed", name, 10), RECORDS[10:20])
        self.refused(slow)
        other.close()
        slow.close()

    def table(self):
        return {
            "create": self.create,
            "describe": self.describe,
            "alter-config": self.alter_config,
            "add-partitions": self.add_partitions,
            **{name: partial(self.round_trip, name, codec=name) for name in ("none", "gzip", "snappy", "lz4", "zstd")},
            **{f"acks-{acks}": partial(self.round_trip, f"acks-{acks}", acks=acks) for acks in ("0", "1", "all")},
            "idempotent": partial(self.round_trip, "idempotent", idempotent=True),
            "large": self.large,
            "many": self.many,
            "from-offset": self.from_offset,
            "from-end": self.from_end,
            "from-timestamp": self.from_timestamp,
            "list-offsets": self.list_offsets,
            "delete-records": self.delete_records,
            "commit-resume": self.commit_resume,
            "group-join-leave": self.group_join_leave,
            "describe-group": self.describe_group,
            "delete-group": self.delete_group,
            "delete-topic": self.delete_topic,
            "txn-commit": self.txn_commit,
            "txn-abort": self.txn_abort,
            "txn-fenced": self.txn_fenced,
            "txn-offsets": self.txn_offsets,
            "txn-timeout": self.txn_timeout,
        }


def run(client, scenarios=Scenarios):
    """Runs every scenario, or those named on the command line. `scenarios`: where a client has to be asked for some of them in another way."""
    for name, scenario in scenarios(client).table().items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        try:
            scenario()
            tell(name, None)
        except Exception as failure:
            tell(name, failure)
