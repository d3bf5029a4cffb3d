/**
 * Settings from environment variables, as the container images of Apache Kafka, Confluent (`KAFKA_LOG_RETENTION_MS`) and Bitnami
 * (`KAFKA_CFG_LOG_RETENTION_MS`) map them: lower case, `_` is a dot, `__` an underscore, `___` a hyphen. `KAFKA_CREATE_TOPICS` names topics to create.
 * The images' own control variables are no settings and are passed over.
 */
import { SettingsError } from './settings-error.ts';

/** What to create at start. */
export interface TopicToCreate {
  readonly name: string;
  /** -1: `num.partitions`. */
  readonly partitions: number;
  /** -1: `default.replication.factor`. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Variables that images, their scripts and the JVM read, or that a neighbour called kafka leaves (Kubernetes, links); some end in a star. */
const CONTROL = [
  'KAFKA_ADVERTISED_HOST_COMMAND', 'KAFKA_BROKER_ID_COMMAND', 'KAFKA_CLUSTER_ID', 'KAFKA_CREATE_TOPICS', 'KAFKA_CREATE_TOPICS_SEPARATOR',
  'KAFKA_DEBUG', 'KAFKA_GC_LOG_OPTS', 'KAFKA_HEAP_OPTS', 'KAFKA_HOME', 'KAFKA_JDK_COMPATIBILITY_OPTS', 'KAFKA_JMX_*', 'KAFKA_JVM_*',
  'KAFKA_KRAFT_CLUSTER_ID', 'KAFKA_LOG4J*', 'KAFKA_MODE', 'KAFKA_NATIVE_*', 'KAFKA_OPTS', 'KAFKA_SKIP_KRAFT_STORAGE_INIT', 'KAFKA_TOOLS_LOG4J*',
  'KAFKA_URL', 'KAFKA_VERSION', 'KAFKA_VOLUME_DIR', 'KAFKA_BASE_DIR', 'KAFKA_CONF_DIR', 'KAFKA_CONF_FILE', 'KAFKA_DAEMON_*', 'KAFKA_DATA_DIR',
  'KAFKA_MOUNTED_CONF_DIR', 'KAFKA_CERTS_DIR', 'KAFKA_INITSCRIPTS_DIR', 'KAFKA_EXTRA_FLAGS', 'KAFKA_CLIENT_USERS', 'KAFKA_CLIENT_PASSWORDS',
  'KAFKA_INTER_BROKER_USER', 'KAFKA_INTER_BROKER_PASSWORD', 'KAFKA_CONTROLLER_USER', 'KAFKA_CONTROLLER_PASSWORD', 'KAFKA_TLS_*',
  'KAFKA_PORT', 'KAFKA_PORT_*', 'KAFKA_SERVICE_*', 'KAFKA_ZOOKEEPER_PROTOCOL', 'KAFKA_ZOOKEEPER_TLS_*', 'KAFKA_INITIAL_CONTROLLERS', 'KAFKA_CLASSPATH', 'KAFKA_REST_PROPER_*',
]; // biome-ignore format: a table reads better in rows

function isControl(variable: string): boolean {
  return CONTROL.some((name) => (name.endsWith('*') ? variable.startsWith(name.slice(0, -1)) : variable === name));
}

/** Kafka's name of the setting that a variable means; undefined when it means none. */
export function settingOfVariable(variable: string): string | undefined {
  if (!variable.startsWith('KAFKA_')) return undefined;
  const bitnami = variable.startsWith('KAFKA_CFG_');
  if (!bitnami && isControl(variable)) return undefined;
  const rest = variable.slice(bitnami ? 'KAFKA_CFG_'.length : 'KAFKA_'.length);
  if (rest === '') return undefined;
  return rest.toLowerCase().replaceAll(/_{1,3}/g, (run) => (run.length === 1 ? '.' : run.length === 2 ? '_' : '-'));
}

export function settingsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const settings = new Map<string, string>();
  for (const variable of Object.keys(environment).sort()) {
    const name = settingOfVariable(variable);
    const value = environment[variable];
    if (name !== undefined && value !== undefined) settings.set(name, value);
  }
  return settings;
}

/** `a:1:1,b:3:1:compact`: name, partitions, replicas, cleanup policy (one that is no policy is a list of configs, such as `retention.ms=1000`). */
export function topicsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): TopicToCreate[] {
  const text = environment['KAFKA_CREATE_TOPICS'];
  if (text === undefined || text.trim() === '') return [];
  const separator = environment['KAFKA_CREATE_TOPICS_SEPARATOR'];
  const parts = separator === undefined ? text.split(/[,\n]/) : text.split(separator.replaceAll('\\n', '\n'));
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => topicOfText(part, 'KAFKA_CREATE_TOPICS'));
}

/** `name[:partitions[:replicas[:policy or configs]]]`. Raises SettingsError that names `origin`. */
export function topicOfText(text: string, origin: string): TopicToCreate {
  const [name = '', partitions, replicas, ...policy] = text.split(':').map((part) => part.trim());
  if (name === '')
    throw new SettingsError(`${origin}: '${text}' names no topic; write name[:partitions[:replicas[:cleanup policy]]]`);
  return {
    name,
    partitions: countOfText(partitions, text, origin, 'partitions'),
    replicationFactor: countOfText(replicas, text, origin, 'replicas'),
    configs: configsOfText(policy.join(':'), text, origin),
  };
}

function countOfText(text: string | undefined, whole: string, origin: string, what: string): number {
  if (text === undefined || text === '' || text === '-1') return -1;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 0x7fff_ffff)
    throw new SettingsError(`${origin}: '${text}' in '${whole}' is no number of ${what}; write 1 or more`);
  return count;
}

function configsOfText(text: string, whole: string, origin: string): Record<string, string> {
  if (text === '') return {};
  if (!text.includes('=')) return { 'cleanup.policy': text };
  const configs: Record<string, string> = {};
  for (const part of text.split(/[;\s]+/)) {
    const at = part.indexOf('=');
    if (at < 1) throw new SettingsError(`${origin}: '${part}' in '${whole}' is no config; write name=value`);
    configs[part.slice(0, at)] = part.slice(at + 1);
  }
  return configs;
}
