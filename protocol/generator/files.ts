/** The contract's files, read, and the generated ones, written with the imports that they need. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = 'protocol';
export const TARGET = join('src', 'wire', 'generated');
const HEAD = '// Generated from protocol/ by protocol/generate.ts. Do not edit.';

export function file(name: string, lines: readonly string[], up = '..'): void {
  const body = lines.join('\n');
  const imports: string[] = [];
  const fromReader = ['Reader', 'UnknownTag'].filter((n) => new RegExp(`\\b${n}\\b`).test(body));
  if (fromReader.length > 0) imports.push(`import type { ${fromReader.join(', ')} } from '${up}/reader.ts';`);
  if (/\bWriter\b/.test(body)) imports.push(`import type { Writer } from '${up}/writer.ts';`);
  if (body.includes('ZERO_UUID')) imports.push(`import { ZERO_UUID } from '${up}/uuid.ts';`);
  const bytes = body.includes('NO_BYTES') ? ['', 'const NO_BYTES = Buffer.alloc(0);'] : [];
  writeFileSync(join(TARGET, name), [HEAD, ...imports, ...bytes, '', body].join('\n'));
}

export const load = <T>(name: string): T => JSON.parse(readFileSync(join(SOURCE, name), 'utf8')) as T;
export const loadAll = <T>(folder: string): T[] => readdirSync(join(SOURCE, folder)).map((name) => load<T>(join(folder, name)));
