import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import org.apache.kafka.common.utils.Exit;
import org.slf4j.LoggerFactory;

/**
 * Runs main classes of Apache Kafka's tools one after another in one process, since a Java process for each would spend most of its time on starting.
 * A request is, as of DataOutputStream: the number of words, each word (the class, then its arguments), the length of standard input, its bytes. An answer: the exit
 * code, then length and bytes of standard output and of standard error. Tools that end through System.exit, and hooks of Runtime, do not fit here.
 */
public final class ToolServer {
    /** Thrown where a tool would end the process. */
    private static final class Ended extends Error {
        Ended() {
            super("exit", null, false, false);
        }
    }

    private static Integer exitCode;

    private static void end(int code, String message) {
        if (exitCode == null) exitCode = code;
        throw new Ended();
    }

    private static int run(String main, String[] args) {
        exitCode = null;
        try {
            Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException failure) {
            if (!(failure.getCause() instanceof Ended)) {
                failure.getCause().printStackTrace();
                return exitCode == null ? 1 : exitCode;
            }
        } catch (ReflectiveOperationException missing) {
            throw new IllegalArgumentException(main + " has no main method", missing);
        }
        return exitCode == null ? 0 : exitCode;
    }

    private static void answer(DataOutputStream answers, ByteArrayOutputStream bytes) throws IOException {
        answers.writeInt(bytes.size());
        bytes.writeTo(answers);
    }

    public static void main(String[] none) throws IOException {
        DataInputStream requests = new DataInputStream(System.in);
        DataOutputStream answers = new DataOutputStream(System.out);
        // Logging takes the streams of this moment, so that no tool's output has lines of it.
        LoggerFactory.getLogger(ToolServer.class);
        Exit.setExitProcedure(ToolServer::end);
        Exit.setHaltProcedure(ToolServer::end);
        Exit.setShutdownHookAdder((name, hook) -> { });
        while (true) {
            String[] words;
            try {
                words = new String[requests.readInt()];
            } catch (EOFException done) {
                System.exit(0);
                return;
            }
            for (int i = 0; i < words.length; i++) words[i] = requests.readUTF();
            InputStream input = new ByteArrayInputStream(requests.readNBytes(requests.readInt()));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setIn(input);
            System.setOut(new PrintStream(out, true, "UTF-8"));
            System.setErr(new PrintStream(err, true, "UTF-8"));
            int code = run(words[0], java.util.Arrays.copyOfRange(words, 1, words.length));
            System.out.flush();
            System.err.flush();
            answers.writeInt(code);
            answer(answers, out);
            answer(answers, err);
            answers.flush();
        }
    }
}
