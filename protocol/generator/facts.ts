/** What is no message: error codes, what a release advertises, configs and features. */
import { file, load } from './files.ts';

export function generateErrors(): void {
  const errors = load<{ code: number; name: string; retriable: boolean }[]>('errors.json');
  file('errors.ts', [
    '/** Error codes of the protocol by name. */',
    'export const ErrorCode = {',
    ...errors.map((e) => `  ${e.name}: ${e.code},`),
    '} as const;',
    '',
    'export type ErrorName = keyof typeof ErrorCode;',
    'export type ErrorCode = (typeof ErrorCode)[ErrorName];',
    '',
    'export const ERROR_NAMES: ReadonlyMap<number, ErrorName> = new Map(',
    '  Object.entries(ErrorCode).map(([name, code]) => [code, name as ErrorName]),',
    ');',
    '',
  ]);
}

interface Release {
  release: string;
  broker?: number[][];
  brokerRefuses?: number[][];
  brokerUnstable?: number[][];
  controller?: number[][];
  forwardable?: number[];
  clusterAction?: number[];
}

export function generateRelease(): void {
  const { releases } = load<{ releases: Release[] }>('releases.json');
  const latest = releases.at(-1);
  if (!latest) throw new Error('protocol/releases.json has no release');
  const row = ([key, min, max]: number[]): string => `  { key: ${key}, minVersion: ${min}, maxVersion: ${max} },`;
  file('release.ts', [
    '/** What the newest Apache Kafka release in protocol/releases.json advertises; `refused` are versions it advertises and does not answer. */',
    'export interface AdvertisedRange {',
    '  readonly key: number;',
    '  readonly minVersion: number;',
    '  readonly maxVersion: number;',
    '}',
    '',
    `export const RELEASE = '${latest.release}';`,
    '',
    'export const BROKER_APIS: readonly AdvertisedRange[] = [',
    ...(latest.broker ?? []).map(row),
    '];',
    '',
    'export const BROKER_REFUSES: readonly AdvertisedRange[] = [',
    ...(latest.brokerRefuses ?? []).map(row),
    '];',
    '',
    `export const FORWARDABLE: ReadonlySet<number> = new Set(${JSON.stringify(latest.forwardable ?? [])});`,
    '',
  ]);
}

/** Facts that stay data: emitted as typed constants, so that the product needs no file of this folder. */
export function generateFacts(): void {
  const configs = load<Record<string, Record<string, unknown>[]>>('configs.json');
  file('configs.ts', [
    '/** One config as DescribeConfigs shows it. `broker` of a topic config: what it falls back to, first set one wins, times `factor`. */',
    'export interface ConfigFact {',
    '  readonly name: string;',
    "  readonly type: 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD';",
    '  readonly default?: string | null;',
    '  readonly required?: boolean;',
    '  readonly valid?: string;',
    "  readonly importance: 'HIGH' | 'MEDIUM' | 'LOW';",
    "  readonly update?: 'read-only' | 'per-broker' | 'cluster-wide';",
    '  readonly internal?: boolean;',
    '  readonly dynamicOnly?: boolean;',
    '  readonly sensitive?: boolean;',
    '  readonly broker?: string | readonly { readonly name: string; readonly factor?: number }[];',
    '  readonly [other: string]: unknown;',
    '}',
    '',
    ...Object.entries(configs).flatMap(([scope, rows]) => [
      `export const ${scope.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_CONFIGS: readonly ConfigFact[] = [`,
      ...rows.map((row) => `  ${JSON.stringify(row)},`),
      '];',
      '',
    ]),
  ]);
  const features = load<Record<string, unknown>[]>('features.json');
  file('features.ts', [
    'export interface FeatureFact {',
    '  readonly name: string;',
    '  readonly min: number;',
    '  readonly max: number;',
    '  readonly default: number;',
    '  readonly latestUnstable: number;',
    '  readonly levels: readonly { readonly level: number; readonly name: string; readonly [other: string]: unknown }[];',
    '}',
    '',
    'export const FEATURES: readonly FeatureFact[] = [',
    ...features.map((row) => `  ${JSON.stringify(row)},`),
    '];',
    '',
  ]);
}
