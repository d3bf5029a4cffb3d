/** The golden data of Apache Kafka that tests read directly, and this project's schemas, which say how a vector's JSON is to be read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The folder of golden data beside the checkout; `PROTOCOL_FACTS` names another one. */
export const FACTS = resolve(process.env['PROTOCOL_FACTS'] ?? '../shared/protocol');

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly tagged?: string;
  readonly default?: unknown;
  readonly fields?: readonly Field[];
}

export interface Schema {
  readonly fields: readonly Field[];
  readonly structs?: readonly { readonly name: string; readonly fields: readonly Field[] }[];
}

export interface ApiSchema {
  readonly name: string;
  readonly key: number;
  readonly versions: string;
  readonly flexible: string;
  readonly request: Schema;
  readonly response: Schema;
}

export interface RecordSchema extends Schema {
  readonly name: string;
  readonly family: string;
  readonly framing: string;
  readonly key?: number;
  readonly keySchema?: Schema;
  readonly valueSchema?: Schema;
}

const parse = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

export const apiSchemas = (): ApiSchema[] =>
  readdirSync('protocol/api').map((name) => parse<ApiSchema>(join('protocol/api', name)));
export const recordSchemas = (): RecordSchema[] =>
  readdirSync('protocol/records').map((name) => parse<RecordSchema>(join('protocol/records', name)));
export const headerSchema = (name: 'request-header' | 'response-header'): Schema => parse<Schema>(`protocol/${name}.json`);

/** The rows of a JSON-lines file of golden data. */
export function vectors<T>(...path: string[]): T[] {
  const file = join(FACTS, 'vectors', ...path);
  if (!existsSync(file))
    throw new Error(`golden vectors are missing: ${file}; set PROTOCOL_FACTS to the folder that holds vectors/`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function subFields(schema: Schema, field: Field): readonly Field[] | undefined {
  const name = field.type.replace('[]', '');
  return field.fields ?? schema.structs?.find((s) => s.name === name)?.fields;
}

function one(schema: Schema, field: Field, kind: string, value: Json): unknown {
  if (value === null) return null;
  if (kind === 'int64') return BigInt(value as string);
  if (kind === 'bytes' || kind === 'records') return Buffer.from(value as string, 'hex');
  const fields = subFields(schema, field);
  return fields ? struct(schema, fields, value as { [name: string]: Json }) : value;
}

function struct(schema: Schema, fields: readonly Field[], value: { [name: string]: Json }): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const field of fields) {
    const v = value[field.name];
    if (v === undefined) continue;
    const list = field.type.startsWith('[]') && v !== null;
    out[field.name] = list
      ? (v as Json[]).map((x) => one(schema, field, field.type.slice(2), x))
      : one(schema, field, field.type, v);
  }
  return out;
}

/** A vector's `value` as the generated codecs take it: int64 as bigint, bytes as buffers; what the vector leaves out stays out. */
export const draftOf = (schema: Schema, value: unknown): Record<string, unknown> =>
  struct(schema, schema.fields, value as { [name: string]: Json });

/** The fields of `whole` that `part` has too, deep: what reading gave, restricted to what the vector names. */
export function restrict(whole: unknown, part: unknown): unknown {
  if (part === null || typeof part !== 'object' || Buffer.isBuffer(part) || whole === null || typeof whole !== 'object')
    return whole;
  if (Array.isArray(part)) return Array.isArray(whole) ? whole.map((x: unknown, i) => restrict(x, part[i])) : whole;
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(part))
    out[name] = restrict((whole as Record<string, unknown>)[name], (part as Record<string, unknown>)[name]);
  return out;
}
