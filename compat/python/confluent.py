"""librdkafka through confluent-kafka."""

import os
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from scenario import BASE_TIME, BOOTSTRAP, COUNT, PREFIX, RECORDS, expect, run, same

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def outcome(futures):
    return {key: future.result(20) for key, future in futures.items()}


def topic(name, partitions=1):
    full = f"{PREFIX}-{name}"
    outcome(admin.create_topics([NewTopic(full, partitions, 1, config={"retention.ms": "-1"})]))
    return full


def produce(name, records=RECORDS, partition=0, **settings):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 5, **settings})
    delivered = []

    def on_delivery(error, message):
        delivered.append((error, message.offset()))

    for key, value, headers, timestamp in records:
        producer.produce(name, value, key, partition=partition, headers=headers, timestamp=timestamp, on_delivery=on_delivery)
    expect(producer.flush(20) == 0, "records were left undelivered")
    expect(all(error is None for error, _ in delivered), f"{[str(error) for error, _ in delivered if error][:1]}")
    expect(len(delivered) == len(records), "deliveries are missing")
    return [offset for _, offset in delivered]


def consumer(group=None, **settings):
    return Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group or f"{PREFIX}-none",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "check.crcs": True,
            **settings,
        }
    )


def plain(message):
    return message.key(), message.value(), message.headers() or [], message.timestamp()[1]


def poll(one, count, seconds=20):
    messages = []
    deadline = time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < deadline:
        message = one.poll(0.2)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        messages.append(message)
    return messages


def read(name, count, offset=OFFSET_BEGINNING, partition=0):
    one = consumer()
    try:
        one.assign([TopicPartition(name, partition, offset)])
        return poll(one, count)
    finally:
        one.close()


def round_trip(scenario, **settings):
    name = topic(scenario)
    offsets = produce(name, **settings)
    same([plain(message) for message in read(name, COUNT)], RECORDS)
    return offsets


def config_of(name, key):
    resource = ConfigResource(ResourceType.TOPIC, name)
    return outcome(admin.describe_configs([resource]))[resource][key].value


def create():
    name = topic("create", 3)
    try:
        topic("create", 3)
    except KafkaException as error:
        expect(error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS, str(error))
    else:
        raise AssertionError("created twice")
    expect(name in admin.list_topics(timeout=10).topics, "not listed")


def describe():
    name = f"{PREFIX}-create"
    metadata = admin.list_topics(timeout=10)
    expect(len(metadata.brokers) == 1, "brokers")
    partitions = metadata.topics[name].partitions
    expect(sorted(partitions) == [0, 1, 2], "partitions")
    expect(all(one.leader in metadata.brokers and one.isrs == [one.leader] for one in partitions.values()), "leaders")
    cluster = admin.describe_cluster().result(20)
    expect(len(cluster.nodes) == 1 and cluster.cluster_id == metadata.cluster_id, "cluster")
    expect(config_of(name, "retention.ms") == "-1", "retention.ms")


def alter_config():
    name = f"{PREFIX}-create"
    entry = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    outcome(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])]))
    expect(config_of(name, "retention.ms") == "3600000", "retention.ms")


def add_partitions():
    name = f"{PREFIX}-create"
    outcome(admin.create_partitions([NewPartitions(name, 5)]))
    expect(len(admin.list_topics(name, 10).topics[name].partitions) == 5, "partitions")


def codec(name):
    return lambda: round_trip(name, **{"compression.type": name})


def acks(scenario, value):
    def check():
        offsets = round_trip(scenario, acks=value)
        expect(value == "0" or offsets == list(range(COUNT)), f"offsets {offsets[:5]}")

    return check


def idempotent():
    offsets = round_trip("idempotent", **{"enable.idempotence": True})
    expect(offsets == list(range(COUNT)), f"offsets {offsets[:5]}")


def large():
    name = topic("large")
    value = os.urandom(900_000)
    produce(name, [(None, value, [], BASE_TIME)])
    same([plain(message) for message in read(name, 1)], [(None, value, [], BASE_TIME)])


def filled(name):
    full = topic(name)
    produce(full)
    return full


def from_offset():
    same([plain(message) for message in read(filled("from-offset"), COUNT - 40, 40)], RECORDS[40:])


def from_end():
    name = filled("from-end")
    one = consumer()
    one.assign([TopicPartition(name, 0, OFFSET_END)])
    expect(poll(one, 1, 2) == [], "a record from before")
    produce(name, RECORDS[7:8])
    same([plain(message) for message in poll(one, 1)], RECORDS[7:8])
    one.close()


def from_timestamp():
    name = filled("from-timestamp")
    one = consumer()
    [found] = one.offsets_for_times([TopicPartition(name, 0, BASE_TIME + 49_500)], 10)
    expect(found.offset == 50, f"offset {found.offset}")
    one.assign([found])
    same([plain(message) for message in poll(one, COUNT - 50)], RECORDS[50:])
    one.close()


def list_offsets():
    name = filled("list-offsets")
    one = consumer()
    expect(one.get_watermark_offsets(TopicPartition(name, 0), 10) == (0, COUNT), "watermarks")
    [late] = one.offsets_for_times([TopicPartition(name, 0, BASE_TIME + 10_000_000)], 10)
    expect(late.offset == OFFSET_END, f"offset {late.offset} for a time after all")
    one.close()
    for spec, expected in ((OffsetSpec.earliest(), 0), (OffsetSpec.latest(), COUNT), (OffsetSpec.max_timestamp(), COUNT - 1)):
        [found] = outcome(admin.list_offsets({TopicPartition(name, 0): spec})).values()
        expect(found.offset == expected, f"{spec}: {found.offset}")


def delete_records():
    name = filled("delete-records")
    [deleted] = outcome(admin.delete_records([TopicPartition(name, 0, 30)])).values()
    expect(deleted.low_watermark == 30, f"low watermark {deleted.low_watermark}")
    same([plain(message) for message in read(name, COUNT - 30)], RECORDS[30:])


def commit_resume():
    name, group = filled("commit-resume"), f"{PREFIX}-commit-resume"
    one = consumer(group)
    one.subscribe([name])
    same([plain(message) for message in poll(one, COUNT)], RECORDS)
    one.commit(offsets=[TopicPartition(name, 0, 60)], asynchronous=False)
    one.close()
    two = consumer(group)
    two.subscribe([name])
    same([plain(message) for message in poll(two, COUNT - 60)], RECORDS[60:])
    expect(two.committed([TopicPartition(name, 0)], 10)[0].offset == 60, "committed")
    two.close()


def group_join_leave():
    name, group = topic("group-join-leave", 4), f"{PREFIX}-group-join-leave"
    seen = []

    def turn(members, shares, seconds=40):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for one in members:
                seen.extend(message.value() for message in poll(one, 100, 0.2))
            if [len(one.assignment()) for one in members] == shares:
                return
        raise AssertionError(f"shares {[len(one.assignment()) for one in members]}, expected {shares}")

    one = consumer(group, **{"session.timeout.ms": 10000, "heartbeat.interval.ms": 500})
    one.subscribe([name])
    turn([one], [4])
    two = consumer(group, **{"session.timeout.ms": 10000, "heartbeat.interval.ms": 500})
    two.subscribe([name])
    turn([one, two], [2, 2])
    sent = {b"%d-%d" % (partition, i) for partition in range(4) for i in range(25)}
    for partition in range(4):
        produce(name, [(None, b"%d-%d" % (partition, i), [], BASE_TIME) for i in range(25)], partition)
    deadline = time.monotonic() + 10
    while set(seen) != sent and time.monotonic() < deadline:
        turn([one, two], [2, 2])
    expect(set(seen) == sent and len(seen) == 100, f"{len(seen)} records seen by two")
    one.commit(asynchronous=False), two.commit(asynchronous=False)
    two.close()
    turn([one], [4])
    for partition in range(4):
        produce(name, [(None, b"late-%d" % partition, [], BASE_TIME)], partition)
    deadline = time.monotonic() + 10
    while len(seen) < 104 and time.monotonic() < deadline:
        turn([one], [4])
    expect(sorted(seen[100:]) == [b"late-%d" % partition for partition in range(4)], f"afterwards {seen[100:]}")
    one.close()


def describe_group():
    name, group = filled("describe-group"), f"{PREFIX}-describe-group"
    one = consumer(group, **{"client.id": "describe-me"})
    one.subscribe([name])
    poll(one, COUNT)
    one.commit(asynchronous=False)
    expect(group in [found.group_id for found in admin.list_consumer_groups().result(20).valid], "not listed")
    described = outcome(admin.describe_consumer_groups([group]))[group]
    expect(described.state.name == "STABLE", f"state {described.state}")
    [member] = described.members
    expect(member.client_id == "describe-me", member.client_id)
    expect([(at.topic, at.partition) for at in member.assignment.topic_partitions] == [(name, 0)], "assignment")
    [offsets] = outcome(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).values()
    expect([(at.topic, at.offset) for at in offsets.topic_partitions] == [(name, COUNT)], "committed offsets")
    one.close()


def delete_group():
    group = f"{PREFIX}-describe-group"
    outcome(admin.delete_consumer_groups([group]))
    expect(group not in [found.group_id for found in admin.list_consumer_groups().result(20).valid], "still listed")


def delete_topic():
    name = topic("delete-topic")
    outcome(admin.delete_topics([name]))
    expect(name not in admin.list_topics(timeout=10).topics, "still listed")


run(
    {
        "create": create,
        "describe": describe,
        "alter-config": alter_config,
        "add-partitions": add_partitions,
        **{name: codec(name) for name in ("none", "gzip", "snappy", "lz4", "zstd")},
        "acks-0": acks("acks-0", "0"),
        "acks-1": acks("acks-1", "1"),
        "acks-all": acks("acks-all", "all"),
        "idempotent": idempotent,
        "large": large,
        "from-offset": from_offset,
        "from-end": from_end,
        "from-timestamp": from_timestamp,
        "list-offsets": list_offsets,
        "delete-records": delete_records,
        "commit-resume": commit_resume,
        "group-join-leave": group_join_leave,
        "describe-group": describe_group,
        "delete-group": delete_group,
        "delete-topic": delete_topic,
    }
)
