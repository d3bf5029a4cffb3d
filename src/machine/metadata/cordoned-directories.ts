/**
 * Log directories that get no new partitions (KIP-1066): `cordoned.log.dirs` names them by their paths, or all of them by `*`.
 *
 * Source: KafkaConfig.validateValues of Apache Kafka 4.4.
 */
import { BROKER_CONFIG_FACTS, type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { listOfText } from './list-value.ts';

export const CORDONED_LOG_DIRS = 'cordoned.log.dirs';
const ALL = '*';

const itemsOf = (text: string | null | undefined): readonly string[] => [...new Set(listOfText(text ?? ''))];

/** The directories as `log.dirs`, or `log.dir` where that is not set, has them. */
function namedDirectories({ properties }: ConfigLayers): readonly string[] {
  const dirs = itemsOf(properties.get('log.dirs'));
  return dirs.length > 0 ? dirs : itemsOf(properties.get('log.dir') ?? BROKER_CONFIG_FACTS.get('log.dir')?.default);
}

/** Why the config cannot be what it is set to, in Kafka's words; null when it can. */
export function cordonProblem(layers: ConfigLayers): string | null {
  const cordoned = itemsOf(setBrokerConfig(layers, CORDONED_LOG_DIRS));
  if (cordoned.includes(ALL)) {
    return cordoned.length > 1 ? `When ${CORDONED_LOG_DIRS} is set to *, it must not contain other values` : null;
  }
  const named = namedDirectories(layers);
  const missing = cordoned.filter((path) => !named.includes(path));
  if (missing.length === 0) return null;
  return `All entries in ${CORDONED_LOG_DIRS} must be present in log.dirs or log.dir. Missing entries : ${missing.join(', ')}`;
}

/** Which of the directories are cordoned: of each whether it is, in the order in which `log.dirs` names them. */
export function cordonedDirectories(layers: ConfigLayers): readonly boolean[] {
  const cordoned = itemsOf(setBrokerConfig(layers, CORDONED_LOG_DIRS));
  return namedDirectories(layers).map((path) => cordoned.includes(ALL) || cordoned.includes(path));
}
