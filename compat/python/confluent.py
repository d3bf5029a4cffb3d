"""librdkafka through confluent-kafka."""

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

from scenario import BOOTSTRAP, EARLIEST, LATEST, PREFIX, expect, run

def outcome(futures):
    [future] = futures.values()
    return future.result(20)


class Reader:
    def __init__(self, group, **settings):
        self.consumer = Consumer(
            {
                "bootstrap.servers": BOOTSTRAP,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 10000,
                "heartbeat.interval.ms": 500,
                "check.crcs": True,
                **settings,
            }
        )

    def read(self, seconds):
        records = []
        message = self.consumer.poll(seconds)
        while message is not None:
            if message.error():
                raise KafkaException(message.error())
            records.append((message.key(), message.value(), message.headers() or [], message.timestamp()[1]))
            message = self.consumer.poll(0.02)
        return records

    def assigned(self):
        return len(self.consumer.assignment())

    def commit(self, topic, partition, offset):
        self.consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)

    def close(self):
        self.consumer.close()


class Transactional:
    def __init__(self, transactional_id, timeout_ms):
        settings = {"transactional.id": transactional_id, "transaction.timeout.ms": timeout_ms, "message.timeout.ms": min(timeout_ms, 20000)}
        self.producer = Producer({"bootstrap.servers": BOOTSTRAP, **settings})
        self.producer.init_transactions(20)
        self.begin = self.producer.begin_transaction

    def send(self, topic, partition, records):
        send(self.producer, topic, partition, records)

    def send_offset(self, member, group, topic, partition, offset):
        metadata = member.consumer.consumer_group_metadata()
        self.producer.send_offsets_to_transaction([TopicPartition(topic, partition, offset)], metadata, 20)

    def end(self, commit):
        if commit:
            self.producer.commit_transaction(20)
        else:
            self.producer.abort_transaction(20)

    def close(self):
        pass


def send(producer, topic, partition, records):
    delivered = []
    for key, value, headers, timestamp in records:
        producer.produce(
            topic,
            value,
            key,
            partition=partition,
            headers=headers,
            timestamp=timestamp,
            on_delivery=lambda error, message: delivered.append((error, message.offset())),
        )
    expect(producer.flush(20) == 0 and len(delivered) == len(records), "records were left undelivered")
    errors = [str(error) for error, _ in delivered if error is not None]
    expect(errors == [], f"{errors[:1]}")
    return [offset for _, offset in delivered]


class Librdkafka:
    def sendable(self, *record):
        return record

    def __init__(self):
        self.admin = AdminClient({"bootstrap.servers": BOOTSTRAP})

    def create_topic(self, name, partitions, configs):
        outcome(self.admin.create_topics([NewTopic(name, partitions, 1, config=configs)]))

    def is_topic_exists(self, error):
        return isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS

    def delete_topic(self, name):
        outcome(self.admin.delete_topics([name]))

    def topics(self):
        return self.admin.list_topics(timeout=10).topics

    def topic(self, name):
        cluster = self.admin.describe_cluster().result(20)
        partitions = self.admin.list_topics(name, 10).topics[name].partitions
        return [one.leader for one in partitions.values()], len(cluster.nodes)

    def topic_config(self, name, key):
        return outcome(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))[key].value

    def alter_topic_config(self, name, key, value):
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        outcome(self.admin.incremental_alter_configs([resource]))

    def add_partitions(self, name, total):
        outcome(self.admin.create_partitions([NewPartitions(name, total)]))

    def produce(self, topic, partition, records, codec, acks, idempotent):
        settings = {"enable.idempotence": True} if idempotent else {}
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 5, "compression.type": codec, "acks": acks, **settings})
        return send(producer, topic, partition, records)

    def transactional(self, transactional_id, timeout_ms):
        return Transactional(transactional_id, timeout_ms)

    def consume_isolated(self, topic, partition, isolation):
        reader = Reader(f"{PREFIX}-none", **{"isolation.level": isolation})
        reader.consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        return reader

    def consume(self, topic, partition, offset):
        reader = Reader(f"{PREFIX}-none")
        at = {EARLIEST: OFFSET_BEGINNING, LATEST: OFFSET_END}.get(offset, offset)
        reader.consumer.assign([TopicPartition(topic, partition, at)])
        return reader

    def offset_at(self, topic, partition, at):
        specs = {EARLIEST: OffsetSpec.earliest(), LATEST: OffsetSpec.latest()}
        spec = specs.get(at) or OffsetSpec.for_timestamp(at)
        return outcome(self.admin.list_offsets({TopicPartition(topic, partition): spec})).offset

    def delete_records(self, topic, partition, before):
        deleted = outcome(self.admin.delete_records([TopicPartition(topic, partition, before)]))
        expect(deleted.low_watermark == before, f"low watermark {deleted.low_watermark}")

    def join(self, group, topic, client_id):
        reader = Reader(group, **{"client.id": client_id})
        reader.consumer.subscribe([topic])
        return reader

    def groups(self):
        return [one.group_id for one in self.admin.list_consumer_groups().result(20).valid]

    def group(self, name):
        described = outcome(self.admin.describe_consumer_groups([name]))
        members = [(one.client_id, [(at.topic, at.partition) for at in one.assignment.topic_partitions]) for one in described.members]
        return described.state.name, members

    def committed(self, group, topic, partition):
        offsets = outcome(self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
        return {(at.topic, at.partition): at.offset for at in offsets.topic_partitions}[(topic, partition)]

    def delete_group(self, name):
        outcome(self.admin.delete_consumer_groups([name]))


run(Librdkafka())
