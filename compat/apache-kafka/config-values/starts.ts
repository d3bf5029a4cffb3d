/** What the two refuse to start with: one setting at a time beside those that every broker has. Apache Kafka's own code is asked, without a start. */
import { checkCompaction } from '../../../src/broker/compaction.ts';
import { checkCordons } from '../../../src/broker/cordons.ts';
import { listenerConfigs } from '../../../src/broker/listener-config.ts';
import { checkRequirements } from '../../../src/broker/requirements.ts';
import { requireStandalone } from '../../../src/broker/roles.ts';
import { Settings } from '../../../src/broker/settings.ts';
import { SettingsError } from '../../../src/broker/settings-error.ts';
import { BROKER_CONFIGS } from '../../../src/wire/generated/configs.ts';
import { java } from '../java.ts';
import { valuesOf } from './values.ts';

const COMMON = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  listeners: 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.bootstrap.servers': '127.0.0.1:9093',
  'log.dirs': '/data/a',
};

export interface Start {
  readonly title: string;
  /** Null: it starts. */
  readonly theirs: string | null;
  readonly ours: string | null;
}

/** Settings that Blumfeld takes and Apache Kafka does not: one node needs none to find its controller. */
const MEANT: readonly ((name: string, value: string) => boolean)[] = [
  (name, value) => name === 'controller.quorum.bootstrap.servers' && value.trim() === '',
  (name, value) => name === 'listeners' && !value.includes('CONTROLLER'),
];

export async function starts(jars: string): Promise<Start[]> {
  const tried = BROKER_CONFIGS.filter((fact) => fact.dynamicOnly !== true).flatMap((fact) =>
    valuesOf(fact).flatMap((value) => (value === null ? [] : [{ name: fact.name, value }])),
  );
  const wanted = tried.filter(({ name, value }) => !MEANT.some((isMeant) => isMeant(name, value)));
  const asked = wanted.map(({ name, value }) => ({ ...COMMON, [name]: value }));
  const { code, stdout, stderr } = await java(
    jars,
    'compat/apache-kafka/StartSettings.java',
    [],
    Buffer.from(JSON.stringify(asked)),
  );
  if (code !== 0) throw new Error(`Apache Kafka could not be asked about settings: ${stderr}`);
  const theirs = JSON.parse(stdout.toString()) as readonly (string | null)[];
  return wanted.map(({ name, value }, i) => ({
    title: `a start with ${name}=${JSON.stringify(value.slice(0, 60))}`,
    theirs: theirs[i] ?? null,
    ours: refusal({ ...COMMON, [name]: value }),
  }));
}

/** What `compose` checks before anything is opened. */
function refusal(values: Readonly<Record<string, string>>): string | null {
  try {
    const settings = new Settings([{ origin: 'server.properties', values: new Map(Object.entries(values)) }], {
      likeProduction: true,
    });
    requireStandalone(settings);
    checkCompaction(settings);
    checkCordons(settings);
    checkRequirements(settings);
    listenerConfigs(settings);
    return null;
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}
