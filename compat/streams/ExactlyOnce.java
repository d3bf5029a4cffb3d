import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka Streams with exactly_once_v2: words are sent while the application that counts them is killed, restarted and joined by a second one, and while the broker is killed. Of each word every count from one to the
 * number sent has to come out once, in order. Says `ok` or `not ok` for each check.
 */
public final class ExactlyOnce {
    private static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    private static final String PREFIX = System.getenv("PREFIX");
    private static final int PARTITIONS = 3;
    private static final int WORDS = 40;
    private static final int RECORDS_A_STEP = 4000;
    private static final long PATIENCE_SECONDS = 60;

    private final Random random = new Random(7);
    private final Map<String, Long> sent = new HashMap<>();
    private final Path state = Files.createTempDirectory("blumfeld-streams-");
    private final BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
    private final List<Process> running = new ArrayList<>();

    private ExactlyOnce() throws Exception {}

    private static Properties properties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        return properties;
    }

    /** Running once it says so. One that has the folder of another that was killed is known by the same transactional ids. */
    private Process start(String name) throws Exception {
        String path = System.getProperty("java.class.path");
        String folder = state.resolve(name).toString();
        Process app = new ProcessBuilder("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "Counter", BOOTSTRAP, PREFIX, folder)
            .redirectError(new File("/dev/null")).start();
        running.add(app);
        BufferedReader said = new BufferedReader(new InputStreamReader(app.getInputStream()));
        for (String line = said.readLine(); !"RUNNING".equals(line); line = said.readLine()) {
            if (line == null || line.equals("ERROR")) throw new IllegalStateException("the application ended in " + line);
        }
        Thread rest = new Thread(() -> said.lines().forEach(line -> {}));
        rest.setDaemon(true);
        rest.start();
        return app;
    }

    private void send() throws Exception {
        Properties properties = properties();
        properties.put("linger.ms", "5");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < RECORDS_A_STEP; i++) {
                String word = "word-" + random.nextInt(WORDS);
                producer.send(new ProducerRecord<>(PREFIX + "-lines", i % PARTITIONS, null, word));
                sent.merge(word, 1L, Long::sum);
                if (i % 200 == 0) Thread.sleep(10);
            }
        }
    }

    /** Every count of every word, in the order of its partition, until none comes that is expected. */
    private Map<String, List<Long>> counts() {
        Properties properties = properties();
        properties.put("isolation.level", "read_committed");
        Map<String, List<Long>> found = new HashMap<>();
        long expected = sent.values().stream().mapToLong(Long::longValue).sum();
        long seen = 0;
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new LongDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) partitions.add(new TopicPartition(PREFIX + "-counts", i));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            // A while longer than needed, so that a count too many is seen.
            for (int quiet = 0; quiet < 5 && System.nanoTime() < deadline;) {
                int before = (int) seen;
                for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(200))) {
                    found.computeIfAbsent(record.key(), word -> new ArrayList<>()).add(record.value());
                    seen++;
                }
                quiet = seen >= expected && seen == before ? quiet + 1 : 0;
            }
        }
        return found;
    }

    private String fault() {
        Map<String, List<Long>> found = counts();
        for (String word : sent.keySet()) {
            List<Long> own = found.getOrDefault(word, List.of());
            for (int i = 0; i < own.size(); i++) {
                if (own.get(i) != i + 1) return word + ": count " + own.get(i) + " came where " + (i + 1) + " was next, of " + sent.get(word);
            }
            if (own.size() != sent.get(word)) return word + ": " + own.size() + " counts, " + sent.get(word) + " records";
        }
        return found.size() == sent.size() ? null : "words that were never sent: " + found.keySet();
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

    private void stop(Process app, boolean kill) throws Exception {
        running.remove(app);
        if (kill) app.destroyForcibly();
        else app.getOutputStream().close();
        app.waitFor();
    }

    /** Whoever started this program has the broker, kills it when asked, and says when it is there again. */
    private void killBroker() {
        try {
            Thread.sleep(150);
            System.out.println("kill the broker");
            asked.readLine();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private boolean run() throws Exception {
        try (AdminClient admin = AdminClient.create(properties())) {
            admin.createTopics(Set.of(new NewTopic(PREFIX + "-lines", PARTITIONS, (short) 1), new NewTopic(PREFIX + "-counts", PARTITIONS, (short) 1))).all().get(20, TimeUnit.SECONDS);
        }
        boolean good = check("every count comes out once", () -> {
            start("one");
            send();
        });
        good &= check("every count comes out once when the application is killed at work and another begins", () -> {
            Thread killing = new Thread(() -> {
                try {
                    Thread.sleep(150);
                    stop(running.get(0), true);
                } catch (Exception failure) {
                    throw new IllegalStateException(failure);
                }
            });
            killing.start();
            send();
            killing.join();
            start("one");
        });
        good &= check("every count comes out once when the broker is killed at work", () -> {
            Thread killing = new Thread(this::killBroker);
            killing.start();
            send();
            killing.join();
        });
        good &= check("every count comes out once when a second one joins and the first one leaves", () -> {
            Process first = running.get(0);
            start("two");
            send();
            stop(first, false);
        });
        return good;
    }

    public static void main(String[] args) throws Exception {
        ExactlyOnce all = new ExactlyOnce();
        boolean good;
        try {
            good = all.run();
        } finally {
            for (Process app : all.running) app.destroyForcibly();
            try (var files = Files.walk(all.state)) {
                files.sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
            }
        }
        System.exit(good ? 0 : 1);
    }
}
