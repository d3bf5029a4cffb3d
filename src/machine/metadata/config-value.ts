/**
 * One config's value as text, checked and parsed as Kafka does (ConfigDef): by the type and the valid values that the contract tells. The texts of
 * what is wrong are Kafka's, because people and tools read them.
 */
import type { ConfigFact } from '../../wire/generated/configs.ts';

/** Whole numbers are bigint: a LONG reaches past 2^53. */
export type ConfigValue = boolean | bigint | number | string | readonly string[] | null;

export type ParsedConfig =
  | { readonly ok: true; readonly value: ConfigValue /** As DescribeConfigs shows it. */; readonly shown: string | null }
  | { readonly ok: false; readonly message: string };

const INTEGER_RANGES = {
  SHORT: [-(2n ** 15n), 2n ** 15n - 1n],
  INT: [-(2n ** 31n), 2n ** 31n - 1n],
  LONG: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

const INTEGER = /^[+-]?\d+$/;
const DOUBLE = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/;
const RANGE = /^\[(-?[\d.]+)?,?\.\.\.,?(-?[\d.]+)?\](?: or (-?\d+))?$/;
const CHOICE = /^\[([^\]:.]+)\]$/;

/** Parses and checks `text` for this config. */
export function parseConfig(fact: ConfigFact, text: string): ParsedConfig {
  const value = parsedType(fact, text);
  if (value === undefined) return { ok: false, message: invalid(fact.name, text, expectation(fact)) };
  const problem = problemWith(fact, value);
  return problem === null ? { ok: true, value, shown: shownValue(value) } : { ok: false, message: problem };
}

/** A list in the form it is written in: split at commas, blanks around them dropped; empty text is the empty list. */
export function listOfText(text: string): readonly string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/);
}

/** As Java prints the value. */
function shownValue(value: ConfigValue): string | null {
  if (value === null) return null;
  if (typeof value === 'number') return javaDouble(value);
  return typeof value === 'object' ? value.join(',') : String(value);
}

function parsedType(fact: ConfigFact, text: string): Exclude<ConfigValue, null> | undefined {
  const trimmed = text.trim();
  switch (fact.type) {
    case 'BOOLEAN': {
      const lower = trimmed.toLowerCase();
      return lower === 'true' ? true : lower === 'false' ? false : undefined;
    }
    case 'SHORT':
    case 'INT':
    case 'LONG': {
      if (!INTEGER.test(trimmed)) return undefined;
      const value = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed);
      const [min, max] = INTEGER_RANGES[fact.type];
      return value < min || value > max ? undefined : value;
    }
    case 'DOUBLE':
      return DOUBLE.test(trimmed) ? Number(trimmed.replace(/[fFdD]$/, '')) : undefined;
    case 'LIST':
      return listOfText(text);
    case 'STRING':
    case 'CLASS':
    case 'PASSWORD':
      return trimmed;
  }
}

function expectation(fact: ConfigFact): string {
  return fact.type === 'BOOLEAN' ? 'Expected value to be either true or false' : `Not a number of type ${fact.type}`;
}

function invalid(name: string, value: string, why: string): string {
  return `Invalid value ${value} for configuration ${name}: ${why}`;
}

function problemWith(fact: ConfigFact, value: Exclude<ConfigValue, null>): string | null {
  if (typeof value === 'object') {
    const problem = problemWithDistinctList(fact.name, value);
    if (problem !== null) return problem;
  }
  if (fact.valid === undefined) return null;
  if (typeof value === 'bigint' || typeof value === 'number') return problemWithNumber(fact.name, fact.valid, value);
  if (typeof value === 'string') return problemWithString(fact.name, fact.valid, value);
  if (typeof value === 'object') return problemWithList(fact.name, fact.valid, value);
  return null;
}

function problemWithNumber(name: string, valid: string, value: bigint | number): string | null {
  const range = RANGE.exec(valid);
  if (range === null) return null;
  const [, min, max, besides] = range;
  const shown = shownValue(value) ?? '';
  const tooLow = min !== undefined && Number(value) < Number(min);
  const tooHigh = max !== undefined && Number(value) > Number(max);
  if (besides !== undefined) {
    if (!(tooLow || tooHigh) || String(value) === besides) return null;
    return invalid(name, shown, `Value must be between ${min} and ${max} or equal to ${besides}`);
  }
  if (tooLow) return invalid(name, shown, `Value must be at least ${min}`);
  return tooHigh ? invalid(name, shown, `Value must be no more than ${max}`) : null;
}

function problemWithString(name: string, valid: string, value: string): string | null {
  const choice = CHOICE.exec(valid)?.[1];
  if (choice === undefined) return name === 'share.auto.offset.reset' ? problemWithResetStrategy(name, value) : null;
  return choice.split(', ').includes(value) ? null : invalid(name, value, `String must be one of: ${choice}`);
}

/** KIP-1106: a strategy may also be `by_duration:` and an ISO 8601 duration that is not negative. */
function problemWithResetStrategy(name: string, value: string): string | null {
  if (value === 'earliest' || value === 'latest') return null;
  if (/^by_duration:P(?=\d|T\d)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/.test(value)) return null;
  const rule = "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.";
  return invalid(name, value, `Invalid value \`${value}\` for configuration ${name}. ${rule}`);
}

/** Of these lists no item may be twice, nor be empty. */
const DISTINCT: ReadonlySet<string> = new Set(['cordoned.log.dirs', 'log.cleanup.policy']);

function problemWithDistinctList(name: string, values: readonly string[]): string | null {
  if (!DISTINCT.has(name)) return null;
  if (new Set(values).size < values.length) return `Configuration '${name}' values must not be duplicated.`;
  return values.includes('') ? `Configuration '${name}' values must not be empty.` : null;
}

function problemWithList(name: string, valid: string, values: readonly string[]): string | null {
  if (valid.startsWith('[partitionId]:[brokerId]')) {
    const everyReplica = values.every((v) => /^(\d+:\d+)?$/.test(v)) || values.join('') === '*';
    const rule = `${name} must be the literal '*' or a list of replicas in the following format: ${valid}`;
    return everyReplica ? null : invalid(name, `[${values.join(', ')}]`, rule);
  }
  const choice = CHOICE.exec(valid)?.[1];
  if (choice === undefined) return null;
  const allowed = choice.split(', ');
  for (const value of values) {
    if (value === '') return `Configuration '${name}' values must not be empty.`;
    if (!allowed.includes(value)) return invalid(name, value, `String must be one of: ${choice}`);
  }
  return null;
}

/** Double.toString: at least one digit after the point, exponents outside of [0.001, 10^7). */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}
