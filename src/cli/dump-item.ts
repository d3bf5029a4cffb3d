/** One thing that a dump shows: a line for people, and a value for programs. */
export interface DumpItem {
  readonly text: string;
  readonly json: unknown;
}

/** JSON with int64 as decimal strings, bytes as hexadecimal, and no fields that are not there. */
export function plainJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(plainJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (each === undefined ? [] : [[name, plainJson(each)]])),
  );
}

/** `name: value` pairs on one line; nested values as JSON. */
export function line(fields: { readonly [name: string]: unknown }): string {
  const shown = (value: unknown): string =>
    typeof value === 'object' && value !== null ? JSON.stringify(plainJson(value)) : String(value);
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${shown(value)}`]))
    .join(' ');
}

export const item = (fields: { readonly [name: string]: unknown }): DumpItem => ({ text: line(fields), json: plainJson(fields) });
