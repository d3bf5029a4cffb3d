/** Records of Kafka's own logs, a file for each, and a table for each family of them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { file, TARGET } from './files.ts';
import { linesOf } from './message.ts';
import { kebab, upper } from './names.ts';
import type { Rec } from './schema.ts';
import { range } from './versions.ts';

export function generateRecords(records: Rec[]): void {
  mkdirSync(join(TARGET, 'records'));
  const families = new Map<string, Rec[]>();
  for (const record of records) {
    families.set(record.family, [...(families.get(record.family) ?? []), record]);
    const lines: string[] = [];
    for (const [suffix, side] of [
      ['Key', record.keySchema],
      ['Value', record.valueSchema],
    ] as const) {
      if (side)
        lines.push(...linesOf(record.name + suffix, side, side.versions ?? record.versions ?? '0', side.flexible ?? 'none'));
    }
    if ('fields' in record) lines.push(...linesOf(record.name, record, record.versions ?? '0', record.flexible ?? 'none'));
    file(join('records', `${kebab(record.name)}.ts`), lines, '../..');
  }
  for (const [family, members] of families)
    generateFamily(
      family,
      members.toSorted((a, b) => (a.key ?? 0) - (b.key ?? 0)),
    );
}

/** A table of one family's records by name: key number, versions and codecs. */
function generateFamily(family: string, members: Rec[]): void {
  const keyed = members[0]?.framing === 'key-value';
  const imports: string[] = [];
  const rows: string[] = [];
  const types: string[] = [];
  for (const r of members) {
    const parts = keyed ? [`${r.name}Key`, `${r.name}Value`] : [r.name];
    imports.push(
      `import { ${parts.flatMap((p) => [`type ${p}`, `type ${p}Draft`, `read${p}`, `write${p}`]).join(', ')} } from './${kebab(r.name)}.ts';`,
    );
    const versions = range(keyed ? r.valueSchema?.versions : r.versions);
    const codecs = keyed
      ? `readKey: read${r.name}Key, writeKey: write${r.name}Key, readValue: read${r.name}Value, writeValue: write${r.name}Value`
      : `read: read${r.name}, write: write${r.name}`;
    rows.push(`  ${r.name}: { key: ${r.key ?? -1}, minVersion: ${versions.first}, maxVersion: ${versions.last}, ${codecs} },`);
    types.push(
      keyed
        ? `  ${r.name}: { key: ${r.name}Key; keyDraft: ${r.name}KeyDraft; value: ${r.name}Value; valueDraft: ${r.name}ValueDraft };`
        : `  ${r.name}: { value: ${r.name}; valueDraft: ${r.name}Draft };`,
    );
  }
  const F = upper(family);
  const fields = keyed
    ? [
        `  readKey(r: Reader, v: number): ${F}RecordTypes[K]['key'];`,
        `  writeKey(w: Writer, m: ${F}RecordTypes[K]['keyDraft'], v: number): void;`,
        `  readValue(r: Reader, v: number): ${F}RecordTypes[K]['value'];`,
        `  writeValue(w: Writer, m: ${F}RecordTypes[K]['valueDraft'], v: number): void;`,
      ]
    : [
        `  read(r: Reader, v: number): ${F}RecordTypes[K]['value'];`,
        `  write(w: Writer, m: ${F}RecordTypes[K]['valueDraft'], v: number): void;`,
      ];
  file(
    join('records', `${kebab(family)}.ts`),
    [
      ...imports,
      '',
      `export interface ${F}RecordTypes {`,
      ...types,
      '}',
      '',
      `export type ${F}RecordKind = keyof ${F}RecordTypes;`,
      '',
      `export interface ${F}RecordCodec<K extends ${F}RecordKind = ${F}RecordKind> {`,
      '  readonly key: number;',
      '  readonly minVersion: number;',
      '  readonly maxVersion: number;',
      ...fields,
      '}',
      '',
      `export const ${family.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_RECORDS: { readonly [K in ${F}RecordKind]: ${F}RecordCodec<K> } = {`,
      ...rows,
      '};',
      '',
    ],
    '../..',
  );
}
