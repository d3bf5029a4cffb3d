import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Reads a list of settings as JSON, and says of each what Apache Kafka would refuse to start with; null where it would start. */
public class StartSettings {
    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        List<String> refusals = new ArrayList<>();
        for (JsonNode settings : mapper.readTree(System.in)) {
            Properties properties = new Properties();
            settings.fields().forEachRemaining(entry -> properties.setProperty(entry.getKey(), entry.getValue().asText()));
            refusals.add(refusal(properties));
        }
        mapper.writeValue(System.out, refusals);
    }

    private static String refusal(Properties properties) {
        try {
            kafka.server.KafkaConfig.fromProps(properties);
            return null;
        } catch (RuntimeException refused) {
            return String.valueOf(refused.getMessage());
        }
    }
}
