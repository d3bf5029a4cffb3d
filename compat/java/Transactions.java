import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The scenarios of transactions. */
final class Transactions {
    private static final long NOTHING_COMES_SECONDS = 1;
    private final Scenarios scenarios;
    private final List<Scenarios.Sent> records;

    Transactions(Scenarios scenarios, List<Scenarios.Sent> records) {
        this.scenarios = scenarios;
        this.records = records;
    }

    /** Ready: `initTransactions` is done. */
    private static Producer<byte[], byte[]> producer(String name, int timeoutMs) {
        var properties = Scenarios.properties();
        properties.put("transactional.id", Scenarios.PREFIX + "-" + name);
        properties.put("transaction.timeout.ms", String.valueOf(timeoutMs));
        Producer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }

    private static Producer<byte[], byte[]> producer(String name) {
        return producer(name, 30_000);
    }

    private static void send(Producer<byte[], byte[]> producer, String topic, int partition, List<Scenarios.Sent> all) throws Exception {
        var answers = all.stream().map(one -> producer.send(new ProducerRecord<>(topic, partition, one.time(), one.key(), one.value(), one.headers()))).toList();
        producer.flush();
        for (var answer : answers) answer.get(20, TimeUnit.SECONDS);
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, String isolation, int count, long seconds) {
        try (Consumer<byte[], byte[]> consumer = Scenarios.consumer(Map.of("isolation.level", isolation))) {
            TopicPartition one = new TopicPartition(topic, partition);
            consumer.assign(List.of(one));
            consumer.seekToBeginning(List.of(one));
            return Scenarios.poll(consumer, count, seconds);
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> committed(String topic, int partition, int count) {
        return read(topic, partition, "read_committed", count, 20);
    }

    private static void nothingCommitted(String topic, int partition) {
        int count = read(topic, partition, "read_committed", 1, NOTHING_COMES_SECONDS).size();
        Scenarios.check(count == 0, count + " records are seen before they are committed");
    }

    void commit() throws Exception {
        String topic = scenarios.topic("txn-commit", 2);
        try (Producer<byte[], byte[]> producer = producer("txn-commit")) {
            producer.beginTransaction();
            for (int partition = 0; partition < 2; partition++) send(producer, topic, partition, records);
            Scenarios.same(read(topic, 0, "read_uncommitted", records.size(), 20), records);
            nothingCommitted(topic, 0);
            producer.commitTransaction();
        }
        for (int partition = 0; partition < 2; partition++) {
            Scenarios.same(committed(topic, partition, records.size()), records);
            try (Consumer<byte[], byte[]> consumer = Scenarios.consumer(Map.of("isolation.level", "read_committed"))) {
                TopicPartition one = new TopicPartition(topic, partition);
                long end = consumer.endOffsets(Set.of(one)).get(one);
                Scenarios.check(end == records.size() + 1, "the end is " + end + ", a marker stands behind " + records.size() + " records");
            }
        }
    }

    void abort() throws Exception {
        String topic = scenarios.topic("txn-abort", 1);
        try (Producer<byte[], byte[]> producer = producer("txn-abort")) {
            producer.beginTransaction();
            send(producer, topic, 0, records.subList(0, 40));
            producer.abortTransaction();
            producer.beginTransaction();
            send(producer, topic, 0, records.subList(40, 100));
            producer.commitTransaction();
        }
        Scenarios.same(committed(topic, 0, 60), records.subList(40, 100));
        Scenarios.same(read(topic, 0, "read_uncommitted", 100, 20), records);
    }

    private static void refused(Producer<byte[], byte[]> producer) {
        try {
            producer.commitTransaction();
        } catch (KafkaException refused) {
            return;
        }
        throw new Scenarios.Fault("a transaction that cannot be committed was");
    }

    void fenced() throws Exception {
        String topic = scenarios.topic("txn-fenced", 1);
        try (Producer<byte[], byte[]> one = producer("txn-fenced")) {
            one.beginTransaction();
            send(one, topic, 0, records.subList(0, 10));
            try (Producer<byte[], byte[]> two = producer("txn-fenced")) {
                two.beginTransaction();
                send(two, topic, 0, records.subList(10, 20));
                refused(one);
                two.commitTransaction();
            }
        }
        Scenarios.same(committed(topic, 0, 10), records.subList(10, 20));
    }

    /** The group's metadata came with 2.5, the group's name alone went with 4.0. */
    private static void sendOffsets(Producer<byte[], byte[]> producer, Map<TopicPartition, OffsetAndMetadata> offsets, Consumer<byte[], byte[]> member, String group) throws Exception {
        try {
            Object metadata = Consumer.class.getMethod("groupMetadata").invoke(member);
            Class<?> type = Class.forName("org.apache.kafka.clients.consumer.ConsumerGroupMetadata");
            Producer.class.getMethod("sendOffsetsToTransaction", Map.class, type).invoke(producer, offsets, metadata);
        } catch (NoSuchMethodException older) {
            Producer.class.getMethod("sendOffsetsToTransaction", Map.class, String.class).invoke(producer, offsets, group);
        }
    }

    void offsets() throws Exception {
        String source = scenarios.filled("txn-offsets");
        String target = scenarios.topic("txn-offsets-copy", 1);
        String group = Scenarios.PREFIX + "-txn-offsets";
        TopicPartition from = new TopicPartition(source, 0);
        try (Consumer<byte[], byte[]> member = scenarios.member(group, source, "one"); Producer<byte[], byte[]> producer = producer("txn-offsets")) {
            Scenarios.same(Scenarios.poll(member, records.size(), 20), records);
            for (boolean commit : new boolean[] {false, true}) {
                producer.beginTransaction();
                send(producer, target, 0, records);
                sendOffsets(producer, Map.of(from, new OffsetAndMetadata(commit ? 100 : 50)), member, group);
                Scenarios.check(scenarios.committed(group).get(from) == null, "an offset is committed before the transaction is: " + scenarios.committed(group));
                if (commit) producer.commitTransaction();
                else producer.abortTransaction();
            }
            until(() -> scenarios.committed(group).get(from) != null, "no offset is committed");
            Scenarios.check(scenarios.committed(group).get(from).offset() == 100, "committed " + scenarios.committed(group));
        }
        Scenarios.same(committed(target, 0, records.size()), records);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void until(Condition condition, String what) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.holds()) {
            Scenarios.check(System.nanoTime() < deadline, what);
            Thread.sleep(20);
        }
    }

    void timeout() throws Exception {
        String topic = scenarios.topic("txn-timeout", 1);
        try (Producer<byte[], byte[]> slow = producer("txn-timeout", 4000); Producer<byte[], byte[]> other = producer("txn-timeout-other")) {
            slow.beginTransaction();
            send(slow, topic, 0, records.subList(0, 10));
            other.beginTransaction();
            send(other, topic, 0, records.subList(10, 20));
            other.commitTransaction();
            Scenarios.same(committed(topic, 0, 10), records.subList(10, 20));
            refused(slow);
        }
    }
}
