import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The scenarios by Apache Kafka's producer, consumer and admin client. It compiles against every release from 2.1 on; what a release calls otherwise, or does not have,
 * is looked up when it runs.
 */
public final class Scenarios {
    private static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final String PREFIX = System.getenv("PREFIX");
    private static final int COUNT = 100;
    private static final long BASE_TIME = System.currentTimeMillis() / 1000 * 1000 - 3_600_000;
    private static final long EARLIEST = -2;

    /** A failure that says what was not as it should be. */
    static final class Fault extends RuntimeException {
        Fault(String what) {
            super(what);
        }
    }

    private static final class NoSuchCall extends RuntimeException {
        NoSuchCall(String what) {
            super(what);
        }
    }

    record Sent(byte[] key, byte[] value, List<Header> headers, long time) {}

    private interface Scenario {
        void run() throws Exception;
    }

    private final AdminClient admin = AdminClient.create(properties());
    private final List<Sent> records = recordSet();

    static Properties properties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        return properties;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<Header> headers(int i) {
        return switch (i % 4) {
            case 0 -> List.of();
            case 1 -> List.of(new RecordHeader("h", bytes("v" + i)));
            case 2 -> List.of(new RecordHeader("dup", bytes("1")), new RecordHeader("dup", bytes("2")), new RecordHeader("utf-ß", bytes("値")));
            default -> List.of(new RecordHeader("empty", new byte[0]), new RecordHeader("null", (byte[]) null));
        };
    }

    private static byte[] value(int i) {
        if (i % 7 == 0) return null;
        if (i % 7 == 1) return new byte[0];
        byte[] text = bytes(("value " + i + " ß値🜁 ").repeat(i));
        byte[] value = Arrays.copyOf(text, text.length + 2);
        value[value.length - 1] = (byte) 0xff;
        return value;
    }

    /** Nulls, empties, multi-byte text, bytes that are no text, headers that repeat. */
    private static List<Sent> recordSet() {
        List<Sent> all = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            byte[] key = i % 5 == 0 ? null : i % 10 == 1 ? new byte[0] : bytes("key-" + i % 10);
            all.add(new Sent(key, value(i), headers(i), BASE_TIME + i * 1000L));
        }
        return all;
    }

    static void check(boolean condition, String what) {
        if (!condition) throw new Fault(what);
    }

    static void same(List<ConsumerRecord<byte[], byte[]>> read, List<Sent> sent) {
        check(read.size() == sent.size(), read.size() + " records, " + sent.size() + " expected");
        for (int i = 0; i < read.size(); i++) {
            ConsumerRecord<byte[], byte[]> got = read.get(i);
            Sent one = sent.get(i);
            check(Arrays.equals(got.key(), one.key()), "key of record " + i + " is " + Arrays.toString(got.key()));
            check(Arrays.equals(got.value(), one.value()), "value of record " + i + " is " + Arrays.toString(got.value()));
            check(Arrays.asList(got.headers().toArray()).equals(one.headers()), "headers of record " + i + " are " + got.headers());
            check(got.timestamp() == one.time(), "time of record " + i + " is " + got.timestamp());
        }
    }

    String topic(String name, int partitions) throws Exception {
        String full = PREFIX + "-" + name;
        NewTopic topic = new NewTopic(full, partitions, (short) 1).configs(Map.of("retention.ms", "-1"));
        admin.createTopics(Set.of(topic)).all().get(20, TimeUnit.SECONDS);
        return full;
    }

    private List<Long> produce(String topic, int partition, List<Sent> all, Map<String, String> settings) throws Exception {
        Properties properties = properties();
        properties.put("linger.ms", "5");
        properties.put("acks", "all");
        properties.put("enable.idempotence", "false");
        properties.putAll(settings);
        List<Long> offsets = new ArrayList<>();
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> answers = new ArrayList<>();
            for (Sent one : all) answers.add(producer.send(new ProducerRecord<>(topic, partition, one.time(), one.key(), one.value(), one.headers())));
            for (Future<RecordMetadata> answer : answers) offsets.add(answer.get(20, TimeUnit.SECONDS).offset());
        }
        return offsets;
    }

    static Consumer<byte[], byte[]> consumer(Map<String, String> settings) {
        Properties properties = properties();
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.putAll(settings);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static List<ConsumerRecord<byte[], byte[]>> poll(Consumer<byte[], byte[]> consumer, int count, long seconds) {
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (all.size() < count && System.nanoTime() < deadline) consumer.poll(Duration.ofMillis(200)).forEach(all::add);
        return all;
    }

    private List<ConsumerRecord<byte[], byte[]>> read(String topic, long offset, int count) {
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            if (offset == EARLIEST) consumer.seekToBeginning(List.of(partition));
            else consumer.seek(partition, offset);
            return poll(consumer, count, 20);
        }
    }

    private void roundTrip(String name, Map<String, String> settings) throws Exception {
        String topic = topic(name, 1);
        List<Long> offsets = produce(topic, 0, records, settings);
        same(read(topic, EARLIEST, COUNT), records);
        if ("0".equals(settings.get("acks"))) return;
        for (int i = 0; i < COUNT; i++) check(offsets.get(i) == i, "record " + i + " was told offset " + offsets.get(i));
    }

    String filled(String name) throws Exception {
        String topic = topic(name, 1);
        produce(topic, 0, records, Map.of());
        return topic;
    }

    /** The value of the first of these methods that the release has. */
    private static Object first(Object target, Class<?> type, String... names) throws Exception {
        for (String name : names) {
            try {
                return type.getMethod(name).invoke(target);
            } catch (NoSuchMethodException missing) {
                // The next name is that of another release.
            }
        }
        throw new NoSuchCall(type.getSimpleName() + " has none of " + Arrays.toString(names));
    }

    private TopicDescription description(String topic) throws Exception {
        Object result = admin.describeTopics(Set.of(topic));
        Object future = first(result, result.getClass(), "allTopicNames", "all");
        return (TopicDescription) ((Map<?, ?>) ((Future<?>) future).get(20, TimeUnit.SECONDS)).get(topic);
    }

    private String config(String topic, String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(Set.of(resource)).all().get(20, TimeUnit.SECONDS).get(resource).get(key).value();
    }

    private Set<String> topics() throws Exception {
        return admin.listTopics().names().get(20, TimeUnit.SECONDS);
    }

    private void create() throws Exception {
        String name = topic("create", 3);
        try {
            topic("create", 3);
            throw new Fault("created twice");
        } catch (ExecutionException refused) {
            check(refused.getCause() instanceof TopicExistsException, "second creation: " + refused.getCause());
        }
        check(topics().contains(name), "not listed");
    }

    private void describe() throws Exception {
        String name = PREFIX + "-create";
        Collection<?> nodes = admin.describeCluster().nodes().get(20, TimeUnit.SECONDS);
        check(nodes.size() == 1, nodes.size() + " brokers");
        check(admin.describeCluster().clusterId().get(20, TimeUnit.SECONDS) != null, "cluster id");
        List<TopicPartitionInfo> partitions = description(name).partitions();
        check(partitions.size() == 3, partitions.size() + " partitions");
        for (TopicPartitionInfo one : partitions) check(nodes.contains(one.leader()) && one.isr().equals(List.of(one.leader())), "partition " + one);
        check(config(name, "retention.ms").equals("-1"), "retention.ms");
    }

    /** incrementalAlterConfigs came with 2.3. */
    private void alterConfig() throws Exception {
        String name = PREFIX + "-create";
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        ConfigEntry entry = new ConfigEntry("retention.ms", "3600000");
        Object result;
        try {
            Class<?> op = Class.forName("org.apache.kafka.clients.admin.AlterConfigOp");
            Class<?> type = Class.forName("org.apache.kafka.clients.admin.AlterConfigOp$OpType");
            Object set = type.getMethod("valueOf", String.class).invoke(null, "SET");
            Object change = op.getConstructor(ConfigEntry.class, type).newInstance(entry, set);
            result = AdminClient.class.getMethod("incrementalAlterConfigs", Map.class).invoke(admin, Map.of(resource, Set.of(change)));
        } catch (ClassNotFoundException older) {
            Class<?> config = Class.forName("org.apache.kafka.clients.admin.Config");
            Object whole = config.getConstructor(Collection.class).newInstance(Set.of(entry));
            result = AdminClient.class.getMethod("alterConfigs", Map.class).invoke(admin, Map.of(resource, whole));
        }
        ((Future<?>) first(result, result.getClass(), "all")).get(20, TimeUnit.SECONDS);
        check(config(name, "retention.ms").equals("3600000"), "retention.ms");
    }

    private void addPartitions() throws Exception {
        String name = PREFIX + "-create";
        admin.createPartitions(Map.of(name, NewPartitions.increaseTo(5))).all().get(20, TimeUnit.SECONDS);
        check(description(name).partitions().size() == 5, "partitions");
    }

    private void large() throws Exception {
        String name = topic("large", 1);
        byte[] value = new byte[900_000];
        new Random(1).nextBytes(value);
        List<Sent> one = List.of(new Sent(null, value, List.of(), BASE_TIME));
        produce(name, 0, one, Map.of());
        same(read(name, EARLIEST, 1), one);
    }

    private static byte[] text(int partition, int i) {
        return bytes((partition + " " + i + " ").repeat(125));
    }

    private void many() throws Exception {
        String name = topic("many", 4);
        for (int partition = 0; partition < 4; partition++) {
            for (int start = 0; start < 2500; start += 500) {
                List<Sent> batch = new ArrayList<>();
                for (int i = start; i < start + 500; i++) batch.add(new Sent(null, text(partition, i), List.of(), BASE_TIME));
                produce(name, partition, batch, Map.of());
            }
        }
        int[] next = new int[4];
        try (Consumer<byte[], byte[]> one = member(PREFIX + "-many", name, "one")) {
            for (ConsumerRecord<byte[], byte[]> record : poll(one, 10_000, 40)) {
                int partition = record.partition();
                check(record.offset() == next[partition], "partition " + partition + ": offset " + record.offset() + " where " + next[partition] + " was next");
                check(Arrays.equals(record.value(), text(partition, next[partition])), "value at " + record.offset());
                next[partition]++;
            }
        }
        check(Arrays.equals(next, new int[] {2500, 2500, 2500, 2500}), Arrays.toString(next) + " records");
    }

    private void fromOffset() throws Exception {
        same(read(filled("from-offset"), 40, COUNT - 40), records.subList(40, COUNT));
    }

    private void fromEnd() throws Exception {
        String name = filled("from-end");
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            TopicPartition partition = new TopicPartition(name, 0);
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            check(poll(consumer, 1, 2).isEmpty(), "a record from before");
            produce(name, 0, records.subList(7, 8), Map.of());
            same(poll(consumer, 1, 20), records.subList(7, 8));
        }
    }

    private void fromTimestamp() throws Exception {
        String name = filled("from-timestamp");
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            TopicPartition partition = new TopicPartition(name, 0);
            OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, BASE_TIME + 49_500)).get(partition);
            check(found != null && found.offset() == 50 && found.timestamp() == BASE_TIME + 50_000, "found " + found);
            consumer.assign(List.of(partition));
            consumer.seek(partition, found.offset());
            same(poll(consumer, COUNT - 50, 20), records.subList(50, COUNT));
        }
    }

    /** The admin client lists offsets from 2.5 on, the one of the greatest time from 3.0 on. */
    private void adminOffset(TopicPartition partition, String spec, long expected) throws Exception {
        Object query;
        try {
            query = Class.forName("org.apache.kafka.clients.admin.OffsetSpec").getMethod(spec).invoke(null);
        } catch (ClassNotFoundException | NoSuchMethodException older) {
            return;
        }
        Object result = AdminClient.class.getMethod("listOffsets", Map.class).invoke(admin, Map.of(partition, query));
        Object future = result.getClass().getMethod("partitionResult", TopicPartition.class).invoke(result, partition);
        Object info = ((Future<?>) future).get(20, TimeUnit.SECONDS);
        Object offset = info.getClass().getMethod("offset").invoke(info);
        check(offset.equals(expected), spec + " is " + offset);
    }

    private void listOffsets() throws Exception {
        TopicPartition partition = new TopicPartition(filled("list-offsets"), 0);
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            check(consumer.beginningOffsets(Set.of(partition)).get(partition) == 0, "beginning");
            check(consumer.endOffsets(Set.of(partition)).get(partition) == COUNT, "end");
            check(consumer.offsetsForTimes(Map.of(partition, BASE_TIME + 10_000_000)).get(partition) == null, "a time after all");
        }
        adminOffset(partition, "earliest", 0);
        adminOffset(partition, "latest", COUNT);
        adminOffset(partition, "maxTimestamp", COUNT - 1);
    }

    private void deleteRecords() throws Exception {
        TopicPartition partition = new TopicPartition(filled("delete-records"), 0);
        Map<TopicPartition, RecordsToDelete> before = Map.of(partition, RecordsToDelete.beforeOffset(30));
        long low = admin.deleteRecords(before).lowWatermarks().get(partition).get(20, TimeUnit.SECONDS).lowWatermark();
        check(low == 30, "low watermark " + low);
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            check(consumer.beginningOffsets(Set.of(partition)).get(partition) == 30, "beginning");
        }
        same(read(partition.topic(), EARLIEST, COUNT - 30), records.subList(30, COUNT));
    }

    static Consumer<byte[], byte[]> member(String group, String topic, String clientId) {
        Map<String, String> settings = Map.of("group.id", group, "client.id", clientId, "heartbeat.interval.ms", "500", "session.timeout.ms", "10000");
        Consumer<byte[], byte[]> consumer = consumer(settings);
        consumer.subscribe(Set.of(topic));
        return consumer;
    }

    private void commitResume() throws Exception {
        String name = filled("commit-resume");
        String group = PREFIX + "-commit-resume";
        TopicPartition partition = new TopicPartition(name, 0);
        try (Consumer<byte[], byte[]> one = member(group, name, "one")) {
            same(poll(one, COUNT, 20), records);
            one.commitSync(Map.of(partition, new OffsetAndMetadata(60, "sixty")));
        }
        try (Consumer<byte[], byte[]> two = member(group, name, "two")) {
            same(poll(two, COUNT - 60, 20), records.subList(60, COUNT));
        }
        OffsetAndMetadata committed = committed(group).get(partition);
        check(committed.offset() == 60 && committed.metadata().equals("sixty"), "committed " + committed);
    }

    Map<TopicPartition, OffsetAndMetadata> committed(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(20, TimeUnit.SECONDS);
    }

    private interface Condition {
        boolean holds();
    }

    @SafeVarargs
    private static void until(String what, Set<String> seen, Condition condition, Consumer<byte[], byte[]>... members) {
        long deadline = System.nanoTime() + 40_000_000_000L;
        while (!condition.holds()) {
            for (Consumer<byte[], byte[]> member : members) {
                member.poll(Duration.ofMillis(100)).forEach(record -> seen.add(new String(record.value(), StandardCharsets.UTF_8)));
            }
            check(System.nanoTime() < deadline, what + ": " + seen.size() + " records seen");
        }
    }

    private void send(String topic, String word, int count) throws Exception {
        for (int partition = 0; partition < 4; partition++) {
            List<Sent> all = new ArrayList<>();
            for (int i = 0; i < count; i++) all.add(new Sent(null, bytes(word + "-" + partition + "-" + i), List.of(), BASE_TIME));
            produce(topic, partition, all, Map.of());
        }
    }

    private void groupJoinLeave() throws Exception {
        String name = topic("group-join-leave", 4);
        String group = PREFIX + "-group-join-leave";
        Set<String> seen = new HashSet<>();
        try (Consumer<byte[], byte[]> one = member(group, name, "one")) {
            until("first alone", seen, () -> one.assignment().size() == 4, one);
            try (Consumer<byte[], byte[]> two = member(group, name, "two")) {
                until("second joined", seen, () -> one.assignment().size() == 2 && two.assignment().size() == 2, one, two);
                send(name, "both", 25);
                until("both read", seen, () -> seen.size() == 100, one, two);
                one.commitSync();
                two.commitSync();
            }
            until("second left", seen, () -> one.assignment().size() == 4, one);
            send(name, "late", 1);
            until("first reads on", seen, () -> seen.size() == 104, one);
        }
    }

    private boolean listed(String group) throws Exception {
        return admin.listConsumerGroups().all().get(20, TimeUnit.SECONDS).stream().anyMatch(one -> one.groupId().equals(group));
    }

    private void describeGroup() throws Exception {
        String name = filled("describe-group");
        String group = PREFIX + "-describe-group";
        try (Consumer<byte[], byte[]> one = member(group, name, "describe-me")) {
            poll(one, COUNT, 20);
            one.commitSync();
            check(listed(group), "not listed");
            ConsumerGroupDescription described = admin.describeConsumerGroups(Set.of(group)).all().get(20, TimeUnit.SECONDS).get(group);
            Object state = first(described, ConsumerGroupDescription.class, "groupState", "state");
            check(state.toString().equals("Stable"), "state " + state);
            List<MemberDescription> members = new ArrayList<>(described.members());
            check(members.size() == 1 && members.get(0).clientId().equals("describe-me"), "members " + members);
            TopicPartition partition = new TopicPartition(name, 0);
            check(members.get(0).assignment().topicPartitions().equals(Set.of(partition)), "assignment " + members);
            check(committed(group).get(partition).offset() == COUNT, "committed " + committed(group));
        }
    }

    private void deleteGroup() throws Exception {
        String group = PREFIX + "-describe-group";
        admin.deleteConsumerGroups(Set.of(group)).all().get(20, TimeUnit.SECONDS);
        check(!listed(group), "still listed");
    }

    private void deleteTopic() throws Exception {
        String name = topic("delete-topic", 1);
        admin.deleteTopics(Set.of(name)).all().get(20, TimeUnit.SECONDS);
        check(!topics().contains(name), "still listed");
    }

    private Map<String, Scenario> scenarios() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("create", this::create);
        all.put("describe", this::describe);
        all.put("alter-config", this::alterConfig);
        all.put("add-partitions", this::addPartitions);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) all.put(codec, () -> roundTrip(codec, Map.of("compression.type", codec)));
        for (String acks : List.of("0", "1", "all")) all.put("acks-" + acks, () -> roundTrip("acks-" + acks, Map.of("acks", acks)));
        all.put("idempotent", () -> roundTrip("idempotent", Map.of("enable.idempotence", "true")));
        all.put("large", this::large);
        all.put("many", this::many);
        all.put("from-offset", this::fromOffset);
        all.put("from-end", this::fromEnd);
        all.put("from-timestamp", this::fromTimestamp);
        all.put("list-offsets", this::listOffsets);
        all.put("delete-records", this::deleteRecords);
        all.put("commit-resume", this::commitResume);
        all.put("group-join-leave", this::groupJoinLeave);
        all.put("describe-group", this::describeGroup);
        all.put("delete-group", this::deleteGroup);
        all.put("delete-topic", this::deleteTopic);
        Transactions transactions = new Transactions(this, records);
        all.put("txn-commit", transactions::commit);
        all.put("txn-abort", transactions::abort);
        all.put("txn-fenced", transactions::fenced);
        all.put("txn-offsets", transactions::offsets);
        all.put("txn-timeout", transactions::timeout);
        return all;
    }

    private static void tell(String name, Scenario scenario) {
        try {
            scenario.run();
            System.out.println("ok " + name);
        } catch (NoSuchCall missing) {
            System.out.println("n/a " + name + ": " + missing.getMessage());
        } catch (Throwable failure) {
            Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
            String why = (cause instanceof Fault ? cause.getMessage() : cause.toString()).replace('\n', ' ');
            System.out.println("FAIL " + name + ": " + why);
        }
        System.out.flush();
    }

    public static void main(String[] names) {
        Scenarios all = new Scenarios();
        all.scenarios().forEach((name, scenario) -> {
            if (names.length == 0 || List.of(names).contains(name)) tell(name, scenario);
        });
        all.admin.close();
    }
}
