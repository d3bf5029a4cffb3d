import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Flink reads records from one topic and writes them to another in the transactions of its checkpoints, while its job fails and the broker is killed. Each record has to come out once. Says `ok` or `not ok` for
 * each check.
 */
public final class Relay {
    private static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    private static final String PREFIX = System.getenv("PREFIX");
    private static final int PARTITIONS = 3;
    private static final int RECORDS_A_STEP = 3000;
    private static final long PATIENCE_SECONDS = 120;
    /** How many records the job still relays before it fails; it does not where this is negative. */
    private static final AtomicInteger untilFailure = new AtomicInteger(-1);

    private final BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
    private int sent = 0;

    private static final class FailsWhenTold implements MapFunction<String, String> {
        @Override
        public String map(String value) {
            if (untilFailure.get() >= 0 && untilFailure.getAndDecrement() == 0) throw new IllegalStateException("as it was told");
            return value;
        }
    }

    private static JobClient start() throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1000");
        configuration.setString("restart-strategy.fixed-delay.delay", "500 ms");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        environment.enableCheckpointing(500);
        KafkaSource<String> source = KafkaSource.<String>builder()
            .setBootstrapServers(BOOTSTRAP).setTopics(PREFIX + "-in").setGroupId(PREFIX).setStartingOffsets(OffsetsInitializer.earliest())
            .setValueOnlyDeserializer(new SimpleStringSchema()).build();
        KafkaSink<String> sink = KafkaSink.<String>builder()
            .setBootstrapServers(BOOTSTRAP).setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(PREFIX)
            .setProperty("transaction.timeout.ms", "60000")
            .setRecordSerializer(KafkaRecordSerializationSchema.builder().setTopic(PREFIX + "-out").setValueSerializationSchema(new SimpleStringSchema()).build())
            .build();
        environment.fromSource(source, WatermarkStrategy.noWatermarks(), "in").map(new FailsWhenTold()).sinkTo(sink);
        return environment.executeAsync("relay");
    }

    private static Properties properties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        return properties;
    }

    private void send() throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties(), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < RECORDS_A_STEP; i++, sent++) {
                producer.send(new ProducerRecord<>(PREFIX + "-in", sent % PARTITIONS, null, "record-" + sent));
                if (i % 200 == 0) Thread.sleep(50);
            }
        }
    }

    /** What is wrong with what came out; null when nothing is. Reads on for a while, so that a record too many is seen. */
    private String fault() {
        int[] times = new int[sent];
        int seen = 0;
        Properties properties = properties();
        properties.put("isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) partitions.add(new TopicPartition(PREFIX + "-out", i));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            for (int quiet = 0; quiet < 5 && System.nanoTime() < deadline;) {
                int before = seen;
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(300))) {
                    times[Integer.parseInt(record.value().substring("record-".length()))]++;
                    seen++;
                }
                quiet = seen >= sent && seen == before ? quiet + 1 : 0;
            }
        }
        for (int i = 0; i < sent; i++) {
            if (times[i] != 1) return "record-" + i + " came out " + times[i] + " times; " + seen + " in all, of " + sent;
        }
        return null;
    }

    private interface Step {
        void run() throws Exception;
    }

    private boolean check(String what, Step step) {
        String why;
        try {
            step.run();
            why = fault();
        } catch (Exception failure) {
            why = failure.toString();
        }
        System.out.println(why == null ? "ok " + what : "not ok " + what + ": " + why);
        return why == null;
    }

    /** Whoever started this program has the broker, kills it when asked, and says when it is there again. */
    private void killBroker() {
        try {
            Thread.sleep(300);
            System.out.println("kill the broker");
            asked.readLine();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private boolean run() throws Exception {
        try (AdminClient admin = AdminClient.create(properties())) {
            admin.createTopics(Set.of(new NewTopic(PREFIX + "-in", PARTITIONS, (short) 1), new NewTopic(PREFIX + "-out", PARTITIONS, (short) 1))).all().get(20, TimeUnit.SECONDS);
        }
        JobClient job = start();
        boolean good = check("every record comes out once", this::send);
        good &= check("every record comes out once when the job fails and begins again at its checkpoint", () -> {
            untilFailure.set(RECORDS_A_STEP / 2);
            send();
            if (untilFailure.get() >= 0) throw new IllegalStateException("the job has not failed");
        });
        good &= check("every record comes out once when the broker is killed at work", () -> {
            Thread killing = new Thread(this::killBroker);
            killing.start();
            send();
            killing.join();
        });
        good &= check("nothing more comes out when the job has been cancelled", () -> {
            job.cancel().get(30, TimeUnit.SECONDS);
        });
        return good;
    }

    public static void main(String[] args) throws Exception {
        boolean good = new Relay().run();
        System.out.flush();
        Runtime.getRuntime().halt(good ? 0 : 1);
    }
}
