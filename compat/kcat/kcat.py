"""
kcat. Topics come to be by the first produce; keys and values of one run are split at separators, null and empty are one, every record has the same header and the time it
is sent at. Readers are processes that are read in the background.
"""

import re
import subprocess
import threading
import time

from scenario import BOOTSTRAP, EARLIEST, LATEST, NoSuchCall, expect, run

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
            ["kcat", "-b", BOOTSTRAP, *args, "-q", "-u", "-X", "check.crcs=true", "-f", "%K %S\n%k%s%h\n"],
            stdout=subprocess.PIPE,
        )
        self.records = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        out = self.process.stdout
        while line := out.readline():
            key, value = (None if length < 0 else out.read(length) for length in map(int, line.split()))
            text = out.readline().decode().strip()
            headers = [(name, content.encode()) for name, content in re.findall(r"([^=,]+)=([^,]*)", text)]
            self.records.append((key, value, headers, None))

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


class Kcat:
    def sendable(self, key, value, headers, timestamp):
        return key or None, value or None, HEADERS, None

    def create_topic(self, name, partitions, configs):
        if partitions != 1:
            raise NoSuchCall("it makes no topics, only the broker does, of one partition")

    def produce(self, topic, partition, records, codec, acks, idempotent):
        settings = ["-X", f"acks={acks}", "-X", "linger.ms=5", "-z", codec, *(["-X", "enable.idempotence=true"] if idempotent else [])]
        lines = b"".join((key or b"") + BETWEEN + (value or b"") + END for key, value, _, _ in records)
        kcat("-P", "-t", topic, "-p", str(partition), "-Z", "-K", escaped(BETWEEN), "-D", escaped(END), "-H", "h=v", *settings, send=lines)
        offsets = range(self.offset_at(topic, partition, EARLIEST), self.offset_at(topic, partition, LATEST))
        return list(offsets)

    def consume(self, topic, partition, offset):
        at = {EARLIEST: "beginning", LATEST: "end"}.get(offset, str(offset))
        return Reader("-C", "-t", topic, "-p", str(partition), "-o", at)

    def offset_at(self, topic, partition, at):
        if 0 < at < time.time() * 1000:
            raise NoSuchCall("it sends no times but the present")
        return int(re.search(rb"offset (-?\d+)", kcat("-Q", "-t", f"{topic}:{partition}:{at}")).group(1))

    def join(self, group, topic, client_id):
        return Reader("-X", f"client.id={client_id}", "-X", "auto.offset.reset=earliest", "-G", group, topic)

    def __getattr__(self, name):
        def missing(*_):
            raise NoSuchCall("it has no such call")

        return missing


run(Kcat())
