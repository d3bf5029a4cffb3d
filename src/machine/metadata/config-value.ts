/**
 * One config's value as text, checked and parsed as Kafka does (ConfigDef): by the type and the valid values that the contract tells. The texts of
 * what is wrong are Kafka's, because people and tools read them.
 */
import type { ConfigFact } from '../../wire/generated/configs.ts';
import { listOfText, listProblem, withoutRepetition } from './list-value.ts';

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
const ANY_CASE = '(case insensitive) ';
const NOT_EMPTY = 'non-empty string';
const CHOICE = /^\[([^\]:.]+)\]$/;

/** Parses and checks `text` for this config. What a list names twice counts once, but for brokers that run: there it is an error. */
export function parseConfig(fact: ConfigFact, text: string, twice: 'refused' | 'dropped' = 'dropped'): ParsedConfig {
  if (fact.type === 'CLASS' && !KNOWN_CLASS.test(text.trim())) {
    return { ok: false, message: invalid(fact.name, text, `Class ${text} could not be found.`) };
  }
  const parsed = parsedType(fact, text);
  const value = typeof parsed === 'object' && twice === 'dropped' ? withoutRepetition(fact, parsed) : parsed;
  if (value === undefined) return { ok: false, message: invalid(fact.name, text, expectation(fact)) };
  const problem = problemWith(fact, value);
  return problem === null ? { ok: true, value, shown: shownValue(value) } : { ok: false, message: problem };
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

/** Classes of Apache Kafka and of Java are taken to be there; those of plug-ins are not, and never will be. */
const KNOWN_CLASS = /^(?:org\.apache\.kafka|javax?)\.[\w.$]+$/;

function invalid(name: string, value: string, why: string): string {
  return `Invalid value ${value} for configuration ${name}: ${why}`;
}

function problemWith(fact: ConfigFact, value: Exclude<ConfigValue, null>): string | null {
  if (typeof value === 'object') return listProblem(fact, value, CHOICE.exec(fact.valid ?? '')?.[1]?.split(', '));
  if (fact.valid === undefined) return null;
  if (typeof value === 'bigint' || typeof value === 'number') return problemWithNumber(fact.name, fact.valid, value);
  if (typeof value === 'string') return problemWithString(fact.name, fact.valid, value);
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
  if (valid === NOT_EMPTY) return value === '' ? invalid(name, value, 'String must be non-empty') : null;
  if (valid.startsWith(ANY_CASE)) {
    const names = CHOICE.exec(valid.slice(ANY_CASE.length))?.[1] ?? '';
    return names.split(', ').includes(value.toUpperCase())
      ? null
      : invalid(name, value, `String must be one of (case insensitive): ${names}`);
  }
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

/** Double.toString: at least one digit after the point, exponents outside of [0.001, 10^7). */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}
