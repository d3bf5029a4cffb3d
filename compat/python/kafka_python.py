"""kafka-python."""

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

from scenario import BOOTSTRAP, EARLIEST, LATEST, run


class Reader:
    def __init__(self, **settings):
        self.consumer = KafkaConsumer(
            bootstrap_servers=BOOTSTRAP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10000,
            heartbeat_interval_ms=500,
            **settings,
        )

    def read(self, seconds):
        polled = self.consumer.poll(timeout_ms=int(seconds * 1000))
        return [(one.key, one.value, list(one.headers), one.timestamp) for records in polled.values() for one in records]

    def assigned(self):
        return len(self.consumer.assignment())

    def commit(self, topic, partition, offset):
        self.consumer.commit({TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)})

    def close(self):
        self.consumer.close()


class Transactional:
    def __init__(self, transactional_id, timeout_ms):
        self.producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=transactional_id, transaction_timeout_ms=timeout_ms)
        self.producer.init_transactions()
        self.begin = self.producer.begin_transaction

    def send(self, topic, partition, records):
        futures = [
            self.producer.send(topic, value=value, key=key, headers=headers, partition=partition, timestamp_ms=timestamp)
            for key, value, headers, timestamp in records
        ]
        for future in futures:
            future.get(20)

    def send_offset(self, member, group, topic, partition, offset):
        offsets = {TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)}
        self.producer.send_offsets_to_transaction(offsets, member.consumer.group_metadata())

    def end(self, commit):
        if commit:
            self.producer.commit_transaction()
        else:
            self.producer.abort_transaction()

    def close(self):
        self.producer.close(timeout=5)


class KafkaPython:
    reads_alone = True

    def sendable(self, key, value, headers, timestamp):
        """It refuses a record where key and value are null, and a header that is."""
        key = b"" if key is None and value is None else key
        return key, value, [(name, b"" if text is None else text) for name, text in headers], timestamp

    def __init__(self):
        self.admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)

    def create_topic(self, name, partitions, configs):
        self.admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}})

    def is_topic_exists(self, error):
        return isinstance(error, TopicAlreadyExistsError)

    def delete_topic(self, name):
        self.admin.delete_topics([name])

    def topics(self):
        return self.admin.list_topics()

    def topic(self, name):
        [topic] = self.admin.describe_topics([name])
        return [one["leader_id"] for one in topic["partitions"]], len(self.admin.describe_cluster()["brokers"])

    def topic_config(self, name, key):
        configs = self.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all")
        return configs["topic"][name][key]["value"]

    def alter_topic_config(self, name, key, value):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {key: value})])

    def add_partitions(self, name, total):
        self.admin.create_partitions({name: total})

    def produce(self, topic, partition, records, codec, acks, idempotent):
        producer = KafkaProducer(
            bootstrap_servers=BOOTSTRAP,
            compression_type=None if codec == "none" else codec,
            acks="all" if acks == "all" else int(acks),
            enable_idempotence=idempotent,
            linger_ms=5,
        )
        futures = [
            producer.send(topic, value=value, key=key, headers=headers, partition=partition, timestamp_ms=timestamp)
            for key, value, headers, timestamp in records
        ]
        offsets = [future.get(20).offset for future in futures]
        producer.close()
        return offsets

    def transactional(self, transactional_id, timeout_ms):
        return Transactional(transactional_id, timeout_ms)

    def consume_isolated(self, topic, partition, isolation):
        reader, at = Reader(isolation_level=isolation), TopicPartition(topic, partition)
        reader.consumer.assign([at])
        reader.consumer.seek_to_beginning(at)
        return reader

    def consume(self, topic, partition, offset):
        reader, at = Reader(), TopicPartition(topic, partition)
        reader.consumer.assign([at])
        if offset == EARLIEST:
            reader.consumer.seek_to_beginning(at)
        elif offset == LATEST:
            reader.consumer.seek_to_end(at)
        else:
            reader.consumer.seek(at, offset)
        return reader

    def offset_at(self, topic, partition, at):
        found = self.admin.list_partition_offsets({TopicPartition(topic, partition): at})
        one = found[TopicPartition(topic, partition)]
        return -1 if one is None else one.offset

    def delete_records(self, topic, partition, before):
        self.admin.delete_records({TopicPartition(topic, partition): before})

    def join(self, group, topic, client_id):
        reader = Reader(group_id=group, client_id=client_id)
        reader.consumer.subscribe([topic])
        return reader

    def groups(self):
        return [one["group_id"] for one in self.admin.list_groups()]

    def group(self, name):
        described = self.admin.describe_groups([name])[name]
        members = []
        for one in described["members"]:
            assigned = one["member_assignment"]["assigned_partitions"]
            members.append((one["client_id"], [(at["topic"], index) for at in assigned for index in at["partitions"]]))
        return described["group_state"], members

    def committed(self, group, topic, partition):
        return self.admin.list_group_offsets([group])[group][TopicPartition(topic, partition)].offset

    def delete_group(self, name):
        self.admin.delete_groups([name])


run(KafkaPython())
