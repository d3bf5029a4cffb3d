/**
 * The broker's settings by Apache Kafka's names, checked by the contract (broker configs with types, defaults and valid values) and with its texts.
 *
 * Invariants: every value asked for has been checked at construction; a name that is not a broker config is a SettingsError when a person wrote it and
 * an Error when code asks for it.
 */
import type { SettingsView } from '../api/context.ts';
import { BROKER_CONFIG_FACTS } from '../machine/metadata/config-sources.ts';
import { type ConfigValue, parseConfig } from '../machine/metadata/config-value.ts';
import type { ConfigFact } from '../wire/generated/configs.ts';
import { ACTED_ON, OBSOLETE } from './acted-on.ts';
import { DEVELOPMENT_DEFAULTS } from './development-defaults.ts';
import { SettingsError } from './settings-error.ts';

/** Values that a node on its own needs and Kafka has no default for. */
const STANDALONE: ReadonlyMap<string, string> = new Map([
  ['controller.listener.names', 'CONTROLLER'],
  ['node.id', '1'],
  ['process.roles', 'broker,controller'],
]);

/** `listener.name.<listener>.<config>`: a config for one listener alone (KIP-103). */
const LISTENER_PREFIX = /^listener\.name\.([^.]+)\.(.+)$/;

/** One place that settings come from, such as a file or the environment. */
export interface SettingsSource {
  /** Said in messages, such as `server.properties` or `--override`. */
  readonly origin: string;
  readonly values: ReadonlyMap<string, string>;
}

export class Settings implements SettingsView {
  /** What has no effect, one sentence each. */
  readonly warnings: readonly string[];
  /** The development defaults in force. */
  readonly developmentDefaults: ReadonlyMap<string, string>;
  readonly #explicit: ReadonlyMap<string, string>;
  readonly #values = new Map<string, ConfigValue>();

  /** Later sources win over earlier ones. Raises SettingsError that names the setting and where it was written. */
  constructor(sources: readonly SettingsSource[], o: { readonly likeProduction?: boolean } = {}) {
    const explicit = new Map<string, string>();
    const warnings: string[] = [];
    for (const source of sources) takeSource(source, explicit, warnings);
    const development = o.likeProduction === true ? [] : [...DEVELOPMENT_DEFAULTS].filter(([name]) => !explicit.has(name));
    this.developmentDefaults = new Map(development);
    for (const [name, value] of development) explicit.set(name, value);
    const id = explicit.get('node.id') ?? explicit.get('broker.id');
    if (id !== undefined) for (const name of ['node.id', 'broker.id']) if (!explicit.has(name)) explicit.set(name, id);
    this.#explicit = explicit;
    this.warnings = warnings;
    for (const [name, text] of explicit) {
      const fact = BROKER_CONFIG_FACTS.get(name);
      if (fact !== undefined) this.#values.set(name, checked(fact, text, name));
    }
  }

  int(name: string): number {
    return Number(this.#numeric(name));
  }

  long(name: string): number {
    return clampedToSafe(this.#numeric(name));
  }

  double(name: string): number {
    return Number(this.#numeric(name));
  }

  boolean(name: string): boolean {
    const value = this.#valueOf(name);
    if (typeof value !== 'boolean') throw new Error(`broker config ${name} is no boolean: ${String(value)}`);
    return value;
  }

  string(name: string): string {
    const value = this.optional(name);
    if (value === null) throw new Error(`broker config ${name} has no value`);
    return value;
  }

  optional(name: string): string | null {
    const value = this.#valueOf(name);
    return value === null ? null : typeof value === 'object' ? value.join(',') : String(value);
  }

  list(name: string): readonly string[] {
    const value = this.#valueOf(name);
    if (value === null) return [];
    if (typeof value !== 'object') throw new Error(`broker config ${name} is no list: ${String(value)}`);
    return value;
  }

  explicit(): ReadonlyMap<string, string> {
    return this.#explicit;
  }

  #numeric(name: string): bigint | number {
    const value = this.#valueOf(name);
    if (typeof value !== 'bigint' && typeof value !== 'number')
      throw new Error(`broker config ${name} is no number: ${String(value)}`);
    return value;
  }

  #valueOf(name: string): ConfigValue {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const fact = BROKER_CONFIG_FACTS.get(name);
    if (fact === undefined) throw new Error(`${name} is no broker config`);
    const text = STANDALONE.get(name) ?? fact.default;
    const value = text === undefined || text === null ? null : checked(fact, text, name);
    this.#values.set(name, value);
    return value;
  }
}

function clampedToSafe(value: bigint | number): number {
  const number = Number(value);
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}

function checked(fact: ConfigFact, text: string, name: string): ConfigValue {
  const parsed = parseConfig(fact, text);
  if (!parsed.ok) throw new SettingsError(parsed.message.replaceAll(`configuration ${fact.name}:`, `configuration ${name}:`));
  return parsed.value;
}

function takeSource(source: SettingsSource, explicit: Map<string, string>, warnings: string[]): void {
  for (const [name, text] of source.values) {
    const plain = LISTENER_PREFIX.exec(name)?.[2] ?? name;
    const fact = BROKER_CONFIG_FACTS.get(plain);
    const obsolete = OBSOLETE.get(name);
    if (fact === undefined && obsolete === undefined) throw new SettingsError(unknownSetting(name, text, source.origin));
    if (fact === undefined) {
      warnings.push(`${name}=${text} (${source.origin}) has no effect: ${obsolete}`);
      continue;
    }
    if (fact.dynamicOnly === true) {
      throw new SettingsError(
        `${name} (${source.origin}) cannot be set at start; set it with an admin client while the broker runs`,
      );
    }
    const shown = fact.sensitive === true || fact.type === 'PASSWORD' ? '[hidden]' : text;
    if (plain !== name) checked(fact, text, name);
    if (plain !== name || !ACTED_ON.has(name)) warnings.push(`${name}=${shown} (${source.origin}) is not acted on yet`);
    explicit.set(name, text);
  }
}

function unknownSetting(name: string, text: string, origin: string): string {
  const similar = mostSimilar(name);
  const hint = similar === undefined ? 'see the broker configs of Apache Kafka' : `did you mean ${similar}?`;
  return `Unknown setting ${name}=${text} (${origin}); ${hint}`;
}

/** The known name that the fewest edits lead to, when they are few. */
function mostSimilar(name: string): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 5)) + 1;
  for (const known of BROKER_CONFIG_FACTS.keys()) {
    if (Math.abs(known.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name, known);
    if (distance < bestDistance) {
      best = known;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_unused, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
