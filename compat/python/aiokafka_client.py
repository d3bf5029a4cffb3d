"""aiokafka; its loop runs in a thread of its own."""

import asyncio
import threading

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.group import MemberAssignment

from scenario import BOOTSTRAP, EARLIEST, LATEST, NoSuchCall, run

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def wait(coroutine, seconds=30):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(seconds)


async def made(kind, **settings):
    """Its objects want to be made inside the loop."""
    return kind(bootstrap_servers=BOOTSTRAP, **settings)


def refused(errors):
    for _, code, *_ in errors:
        if code != 0:
            raise for_code(code)


class Reader:
    def __init__(self, **settings):
        self.consumer = wait(
            made(
                AIOKafkaConsumer,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=10000,
                heartbeat_interval_ms=500,
                **settings,
            )
        )

    async def assign(self, at):
        await self.consumer.start()
        self.consumer.assign([at])

    def read(self, seconds):
        polled = wait(self.consumer.getmany(timeout_ms=int(seconds * 1000)))
        return [(one.key, one.value, list(one.headers), one.timestamp) for records in polled.values() for one in records]

    def assigned(self):
        return len(self.consumer.assignment())

    def commit(self, topic, partition, offset):
        wait(self.consumer.commit({TopicPartition(topic, partition): offset}))

    def close(self):
        wait(self.consumer.stop())


class Transactional:
    def __init__(self, transactional_id, timeout_ms):
        self.producer = wait(made(AIOKafkaProducer, transactional_id=transactional_id, transaction_timeout_ms=timeout_ms))
        wait(self.producer.start())

    def begin(self):
        wait(self.producer.begin_transaction())

    def send(self, topic, partition, records):
        async def all_sent():
            futures = [
                await self.producer.send(topic, value=value, key=key, headers=headers, partition=partition, timestamp_ms=timestamp)
                for key, value, headers, timestamp in records
            ]
            for future in futures:
                await future

        wait(all_sent())

    def send_offset(self, member, group, topic, partition, offset):
        wait(self.producer.send_offsets_to_transaction({TopicPartition(topic, partition): offset}, group))

    def end(self, commit):
        wait(self.producer.commit_transaction() if commit else self.producer.abort_transaction())

    def close(self):
        wait(self.producer.stop())


class AioKafka:
    def sendable(self, key, *rest):
        """It refuses a record where key and value are null."""
        return (b"" if key is None and rest[0] is None else key, *rest)

    def __init__(self):
        self.admin = wait(made(AIOKafkaAdminClient))
        wait(self.admin.start())

    def create_topic(self, name, partitions, configs):
        refused(wait(self.admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])).topic_errors)

    def is_topic_exists(self, error):
        return isinstance(error, TopicAlreadyExistsError)

    def delete_topic(self, name):
        refused(wait(self.admin.delete_topics([name])).topic_error_codes)

    def topics(self):
        return wait(self.admin.list_topics())

    def topic(self, name):
        [topic] = wait(self.admin.describe_topics([name]))
        return [one["leader"] for one in topic["partitions"]], len(wait(self.admin.describe_cluster())["brokers"])

    def topic_config(self, name, key):
        [response] = wait(self.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]))
        [resource] = response.to_object()["resources"]
        return {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}[key]

    def alter_topic_config(self, name, key, value):
        [response] = wait(self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {key: value})]))
        for code, *_ in response.resources:
            if code != 0:
                raise for_code(code)

    def add_partitions(self, name, total):
        wait(self.admin.create_partitions({name: NewPartitions(total)}))

    def produce(self, topic, partition, records, codec, acks, idempotent):
        async def send():
            producer = AIOKafkaProducer(
                bootstrap_servers=BOOTSTRAP,
                compression_type=None if codec == "none" else codec,
                acks="all" if acks == "all" else int(acks),
                enable_idempotence=idempotent,
            )
            async with producer:
                futures = [
                    await producer.send(topic, value=value, key=key, headers=headers, partition=partition, timestamp_ms=timestamp)
                    for key, value, headers, timestamp in records
                ]
                answers = [await future for future in futures]
            return [one.offset for one in answers if one is not None]

        return wait(send())

    def transactional(self, transactional_id, timeout_ms):
        return Transactional(transactional_id, timeout_ms)

    def consume_isolated(self, topic, partition, isolation):
        reader, at = Reader(isolation_level=isolation), TopicPartition(topic, partition)
        wait(reader.assign(at))
        wait(reader.consumer.seek_to_beginning(at))
        return reader

    def consume(self, topic, partition, offset):
        reader, at = Reader(), TopicPartition(topic, partition)
        wait(reader.assign(at))
        if offset == EARLIEST:
            wait(reader.consumer.seek_to_beginning(at))
        elif offset == LATEST:
            wait(reader.consumer.seek_to_end(at))
        else:
            loop.call_soon_threadsafe(reader.consumer.seek, at, offset)
        return reader

    def offset_at(self, topic, partition, at):
        reader, one = Reader(), TopicPartition(topic, partition)
        wait(reader.assign(one))
        try:
            if at == EARLIEST:
                return wait(reader.consumer.beginning_offsets([one]))[one]
            if at == LATEST:
                return wait(reader.consumer.end_offsets([one]))[one]
            found = wait(reader.consumer.offsets_for_times({one: at}))[one]
            return -1 if found is None else found.offset
        finally:
            reader.close()

    def delete_records(self, topic, partition, before):
        wait(self.admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before)}))

    def join(self, group, topic, client_id):
        reader = Reader(group_id=group, client_id=client_id)

        async def start():
            reader.consumer.subscribe([topic])
            await reader.consumer.start()

        wait(start())
        return reader

    def groups(self):
        return [name for name, *_ in wait(self.admin.list_consumer_groups())]

    def group(self, name):
        [response] = wait(self.admin.describe_consumer_groups([name]))
        _, _, state, _, _, found, *_ = response.groups[0]
        members = []
        for _, *fields in found:
            client_id, assignment = fields[-4], MemberAssignment.decode(fields[-1])
            members.append((client_id, [(topic, index) for topic, partitions in assignment.assignment for index in partitions]))
        return state, members

    def committed(self, group, topic, partition):
        offsets = wait(self.admin.list_consumer_group_offsets(group))
        return offsets[TopicPartition(topic, partition)].offset

    def delete_group(self, name):
        raise NoSuchCall("the admin client deletes no groups")


run(AioKafka())
