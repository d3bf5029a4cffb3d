"""
kcat. Topics come to be when they are first used, with one partition: where four partitions are asked for, four topics stand in. Keys and values of one run are split at
separators, null and empty are one, every record has the same header and the time it is sent at. Readers are processes that are read in the background.
"""

import re
import subprocess
import threading
import time

from scenario import BOOTSTRAP, COUNT, EARLIEST, LATEST, PREFIX, RECORDS, NoSuchCall, Scenarios, expect, run, same, take

BETWEEN, END = b"\xfe\xfd\xfc\xfb", b"\xfb\xfc\xfd\xfe"
HEADERS = [("h", b"v")]


def escaped(separator):
    return "".join(f"\\x{byte:02x}" for byte in separator)


def kcat(*args, send=None):
    done = subprocess.run(["kcat", "-b", BOOTSTRAP, *args], input=send, capture_output=True, timeout=30)
    expect(done.returncode == 0, f"exit code {done.returncode}: {done.stderr.decode()[:300]}")
    return done.stdout


class Reader:
    """Each record comes as a line with the lengths of key and value (-1: null), both, and a line of headers."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            ["kcat", "-b", BOOTSTRAP, "-u", "-X", "check.crcs=true", "-f", "%K %S\\n%k%s%h\\n", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.records = []
        self.partitions = 0
        threading.Thread(target=self.hear, daemon=True).start()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        out = self.process.stdout
        while line := out.readline():
            key, value = (None if length < 0 else out.read(length) for length in map(int, line.split()))
            text = out.readline().decode().strip()
            headers = [(name, content.encode()) for name, content in re.findall(r"([^=,]+)=([^,]*)", text)]
            self.records.append((key, value, headers, None))

    def hear(self):
        """`% Group g rebalanced (memberid m): assigned: t [0], u [0]`, written piece by piece: what else is said may stand between."""
        for line in self.process.stderr:
            if b"revoked: " in line:
                self.partitions = 0
            elif b"assigned: " in line:
                self.partitions = line.partition(b"assigned: ")[2].count(b"[")

    def assigned(self):
        return self.partitions

    def read(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.records and time.monotonic() < deadline:
            time.sleep(0.01)
        records, self.records = self.records, []
        return records

    def commit(self, *_):
        raise NoSuchCall("it commits by itself only")

    def close(self):
        self.process.terminate()
        self.process.wait()


def member(group, client_id):
    """Arguments of a member of a group; its topics follow. They come to be when it joins, so it looks for them often."""
    settings = {
        "client.id": client_id,
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "roundrobin",
        "allow.auto.create.topics": "true",
        "topic.metadata.refresh.interval.ms": "300",
    }
    return (*(word for name, value in settings.items() for word in ("-X", f"{name}={value}")), "-G", group)


class Kcat:
    def sendable(self, key, value, headers, timestamp):
        return key or None, value or None, HEADERS, None

    def __init__(self):
        self.parts = {}

    def create_topic(self, name, partitions, configs):
        """The broker makes them when their metadata is asked for, and answers before it has."""
        self.parts[name] = [name] if partitions == 1 else [f"{name}.{partition}" for partition in range(partitions)]
        deadline = time.monotonic() + 20
        for part in self.parts[name]:
            while b"partition 0, leader" not in kcat("-L", "-t", part, "-X", "allow.auto.create.topics=true"):
                expect(time.monotonic() < deadline, f"{part} does not come to be")

    def is_topic_exists(self, refused):
        raise NoSuchCall("it makes no topics, only the broker does, of one partition")

    def produce(self, topic, partition, records, codec, acks, idempotent):
        topic, partition = self.parts[topic][partition], 0
        settings = ["-X", f"acks={acks}", "-X", "linger.ms=5", "-z", codec, *(["-X", "enable.idempotence=true"] if idempotent else [])]
        lines = b"".join((key or b"") + BETWEEN + (value or b"") + END for key, value, _, _ in records)
        kcat("-P", "-t", topic, "-p", str(partition), "-Z", "-K", escaped(BETWEEN), "-D", escaped(END), "-H", "h=v", *settings, send=lines)
        offsets = range(self.offset_at(topic, partition, EARLIEST), self.offset_at(topic, partition, LATEST))
        return list(offsets)

    def consume(self, topic, partition, offset):
        at = {EARLIEST: "beginning", LATEST: "end"}.get(offset, str(offset))
        return Reader("-C", "-t", topic, "-p", str(partition), "-o", at)

    def transactional(self, transactional_id, timeout_ms):
        raise NoSuchCall("a run sends its whole input in one transaction and ends it: nothing can be done while it is open")

    def offset_at(self, topic, partition, at):
        if 0 < at < time.time() * 1000:
            raise NoSuchCall("it sends no times but the present")
        return int(re.search(rb"offset (-?\d+)", kcat("-Q", "-t", f"{topic}:{partition}:{at}")).group(1))

    def join(self, group, topic, client_id):
        return Reader(*member(group, client_id), *self.parts[topic])

    def __getattr__(self, name):
        def missing(*_):
            raise NoSuchCall("it has no such call")

        return missing


class KcatScenarios(Scenarios):
    def create(self):
        raise NoSuchCall("it makes no topics, only the broker does, of one partition and without configs")

    def from_timestamp(self):
        """A time of the clock: records are sent before it and after it."""
        name = self.topic("from-timestamp")
        self.produce(name, RECORDS[:50])
        time.sleep(0.05)
        between = int(time.time() * 1000)
        time.sleep(0.05)
        self.produce(name, RECORDS[50:])
        answer = kcat("-Q", "-t", f"{name}:0:{between}")
        expect(b"offset 50" in answer, f"offset {answer}")
        reader = Reader("-C", "-t", name, "-p", "0", "-o", f"s@{between}")
        same(take(reader, COUNT - 50), RECORDS[50:])
        reader.close()

    def commit_resume(self):
        """A member that ends after sixty records commits that by itself."""
        name, group = self.filled("commit-resume"), f"{PREFIX}-commit-resume"
        one = Reader("-c", "60", *member(group, "one"), name)
        same(take(one, 60), RECORDS[:60])
        one.process.wait(20)
        two = self.client.join(group, name, "two")
        same(take(two, COUNT - 60), RECORDS[60:])
        two.close()


run(Kcat(), KcatScenarios)
