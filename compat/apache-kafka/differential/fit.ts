/** Cuts a request to what exists in a version, so that one line of the table serves all versions of its API. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullable?: string;
  readonly fields?: readonly Field[];
}

interface Schema {
  readonly name: string;
  readonly request: {
    readonly fields: readonly Field[];
    readonly structs?: readonly { readonly name: string; readonly fields: readonly Field[] }[];
  };
}

const SCHEMAS = new Map(
  readdirSync('protocol/api').map((file) => {
    const schema = JSON.parse(readFileSync(join('protocol/api', file), 'utf8')) as Schema;
    return [schema.name.toLowerCase(), schema];
  }),
);

export function within(versions: string, version: number): boolean {
  if (versions === 'none') return false;
  const [from = '0', to] = versions.endsWith('+') ? [versions.slice(0, -1), 'x'] : versions.split('-');
  const last = to === 'x' ? Number.POSITIVE_INFINITY : Number(to ?? from);
  return version >= Number(from) && version <= last;
}

/** The schema of an API by its name in any case. */
export function schemaOf(api: string): Schema {
  const schema = SCHEMAS.get(api.toLowerCase());
  if (schema === undefined) throw new Error(`no schema in protocol/api for ${api}`);
  return schema;
}

/** `draft` without the fields that `version` of the API does not have. */
export function fit<T>(api: string, draft: T, version: number): T {
  const schema = schemaOf(api);
  const { structs = [], fields: top } = schema.request;
  const cut = (value: unknown, fields: readonly Field[]): unknown => {
    if (Array.isArray(value)) return value.map((one) => cut(one, fields));
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
    const out: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      const field = fields.find((one) => one.name === name);
      if (field === undefined) throw new Error(`${api} has no request field ${name}`);
      if (!within(field.versions, version)) continue;
      const sub = field.fields ?? structs.find((one) => one.name === field.type.replace('[]', ''))?.fields;
      out[name] = sub === undefined ? inner : cut(inner, sub);
    }
    return out;
  };
  return cut(draft, top) as T;
}
