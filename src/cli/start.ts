/** `blumfeld start`: settings from everywhere, one broker, one line when it is ready, a clean stop on SIGTERM and SIGINT. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Broker, type BrokerSources } from '../broker/broker.ts';
import { DEVELOPMENT_DEFAULTS_SAID } from '../broker/development-defaults.ts';
import { settingsOfEnvironment, topicOfText, topicsOfEnvironment } from '../broker/environment.ts';
import { createLogger, LOG_LEVELS, type LogLevel } from '../broker/logger.ts';
import { parseProperties } from '../broker/properties.ts';
import { Settings, type SettingsSource } from '../broker/settings.ts';
import { SettingsError } from '../broker/settings-error.ts';
import { StorageFailure } from '../world/files.ts';
import { NodeClock } from '../world/node-clock.ts';
import { NodeFiles } from '../world/node-files.ts';

const DEFAULT_DATA_DIR = './data';

const OPTIONS = {
  port: { type: 'string' },
  'data-dir': { type: 'string' },
  topic: { type: 'string', multiple: true },
  override: { type: 'string', multiple: true },
  'like-production': { type: 'boolean' },
  'log-level': { type: 'string' },
} as const;

/** The exit code. */
export async function start(args: readonly string[]): Promise<number> {
  try {
    const options = optionsOf(args);
    const ended = new Promise<number>((resolveEnd) => {
      const fatal = (): void => resolveEnd(1);
      options.onFatal = fatal;
    });
    // Before the line that tells others that they may send signals; one that comes during the start stops what was started.
    const asked = signalled();
    const broker = await Broker.startFrom(options);
    process.stdout.write(readyLine(broker, options.likeProduction === true, Math.round(options.clock.processMs())));
    const code = await Promise.race([ended, asked]);
    await broker.stop();
    return code;
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    return 1;
  }
}

function optionsOf(args: readonly string[]): BrokerSources & { clock: NodeClock; onFatal?: (reason: Error) => void } {
  const { values, positionals } = parsedArguments(args);
  const level = values['log-level'] ?? 'warn';
  if (!(LOG_LEVELS as readonly string[]).includes(level))
    throw new SettingsError(`--log-level ${level} is none of ${LOG_LEVELS.join(', ')}`);
  const clock = new NodeClock();
  const sources = sourcesOf(positionals, values.override ?? []);
  const dataDir = dataDirOf(values['data-dir'], sources, values['like-production'] === true);
  const clusterId = process.env['CLUSTER_ID'] ?? process.env['KAFKA_CLUSTER_ID'] ?? process.env['KAFKA_KRAFT_CLUSTER_ID'];
  return {
    sources,
    topics: [...topicsOfEnvironment(process.env), ...(values.topic ?? []).map((text) => topicOfText(text, '--topic'))],
    clock,
    log: createLogger(level as LogLevel, clock, (line) => void process.stderr.write(line)),
    likeProduction: values['like-production'] === true,
    ...(values.port === undefined ? {} : { port: portOf(values.port) }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(clusterId === undefined || clusterId === '' ? {} : { clusterId }),
  };
}

function parsedArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new SettingsError(`${(error as Error).message.split('. ')[0]}; see blumfeld --help`);
  }
}

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new SettingsError(`--port ${text} is no port; use 0 to 65535`);
  return port;
}

/** The environment, then the file, then the command line: the later one wins. */
function sourcesOf(positionals: readonly string[], overrides: readonly string[]): SettingsSource[] {
  const [file, ...more] = positionals;
  if (more.length > 0) throw new SettingsError(`One properties file is enough; what is ${more.join(' ')}?`);
  const sources: SettingsSource[] = [{ origin: 'environment', values: settingsOfEnvironment(process.env) }];
  if (file !== undefined) sources.push({ origin: file, values: parseProperties(textOf(file), file) });
  sources.push({ origin: '--override', values: new Map(overrides.map(overrideOf)) });
  return sources;
}

function textOf(file: string): string {
  try {
    return new NodeFiles().readFile(file).toString();
  } catch (error) {
    throw new SettingsError(`${file} cannot be read: ${error instanceof StorageFailure ? error.code : String(error)}`);
  }
}

function overrideOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new SettingsError(`--override ${text} is no setting; write KEY=VALUE`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

/** Like production it is where Apache Kafka would put it, unless told otherwise. */
function dataDirOf(option: string | undefined, sources: readonly SettingsSource[], likeProduction: boolean): string | undefined {
  if (option !== undefined) return resolve(option);
  const named = sources.some(({ values }) => values.has('log.dirs') || values.has('log.dir'));
  if (named) return undefined;
  return resolve(likeProduction ? (new Settings([]).list('log.dir')[0] ?? DEFAULT_DATA_DIR) : DEFAULT_DATA_DIR);
}

function readyLine(broker: Broker, likeProduction: boolean, sinceMs: number): string {
  const development = likeProduction
    ? ''
    : ` (development defaults: ${DEVELOPMENT_DEFAULTS_SAID}; --like-production for Apache Kafka's)`;
  return `blumfeld is ready on ${broker.bootstrapServers}, data in ${broker.dataDirs.join(', ')}, ${sinceMs} ms since the process began${development}\n`;
}

/** The first signal asks for a clean stop; a second one ends the process at once. */
function signalled(): Promise<number> {
  return new Promise((resolveSignal) => {
    let signals = 0;
    const stop = (): void => {
      signals++;
      if (signals === 1) resolveSignal(0);
      else process.exit(1);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** Errors of a start say in one sentence what is wrong; a stack would hide it. */
function sentenceOf(error: unknown): string {
  return `blumfeld: ${error instanceof Error ? error.message : String(error)}`;
}
