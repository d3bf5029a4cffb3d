/**
 * Turns the contract in this folder into typed codecs under src/wire/generated/: for each message and record a TypeScript interface with the
 * protocol's own field names, and straight-line functions that read and write it at every version. Run by `make build`; the output is not committed.
 *
 * Shapes. `X` is what reading gives: every field is there, with its default where the version has none. `XDraft` is what writing takes: fields that
 * have a default, are tagged, ignorable or missing in some versions may be left out, int64 may be a safe integer, byte fields may be lists of buffers.
 * int64 is read as bigint, uuid as base64url, bytes and records as views. A set value that has no place in the version being written is dropped when the
 * field is ignorable and raises RangeError otherwise.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Field {
  name: string;
  type: string;
  versions: string;
  nullable?: string;
  tagged?: string;
  tag?: number;
  default?: unknown;
  flexible?: string;
  ignorable?: boolean;
  fields?: Field[];
}

interface Side {
  versions?: string;
  flexible?: string;
  fields: Field[];
  structs?: { name: string; versions?: string; fields: Field[] }[];
}

interface Api {
  name: string;
  key: number;
  listeners: string[];
  versions: string;
  flexible: string;
  latestVersionUnstable?: boolean;
  request?: Side;
  response?: Side;
}

interface Rec extends Side {
  name: string;
  family: string;
  framing: string;
  key?: number;
  keySchema?: Side;
  valueSchema?: Side;
}

interface Range {
  first: number;
  last: number;
}

const NONE: Range = { first: 0, last: -1 };
const source = 'protocol';
const target = join('src', 'wire', 'generated');

function range(text: string | undefined): Range {
  if (text === undefined || text === 'none') return NONE;
  const plus = /^(\d+)\+$/.exec(text);
  if (plus) return { first: Number(plus[1]), last: Number.POSITIVE_INFINITY };
  const [first, last] = text.split('-');
  return { first: Number(first), last: Number(last ?? first) };
}

const empty = (r: Range): boolean => r.last < r.first;
const meet = (a: Range, b: Range): Range => ({ first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) });
const covers = (a: Range, b: Range): boolean => a.first <= b.first && a.last >= b.last;
const upper = (text: string): string => text[0]?.toUpperCase() + text.slice(1);
const lower = (text: string): string => text[0]?.toLowerCase() + text.slice(1);
const kebab = (text: string): string => text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();

/** The version `v` in range, as an expression over the versions of `all`; 'true' and 'false' when it is constant. */
function within(part: Range, all: Range): string {
  const r = meet(part, all);
  if (empty(r)) return 'false';
  const tests: string[] = [];
  if (r.first === r.last && all.first !== all.last) return `v === ${r.first}`;
  if (r.first > all.first) tests.push(`v >= ${r.first}`);
  if (r.last < all.last) tests.push(`v <= ${r.last}`);
  return tests.length === 0 ? 'true' : tests.join(' && ');
}

function guard(condition: string, lines: string[], otherwise: string[] = []): string[] {
  if (condition === 'true') return lines;
  if (condition === 'false') return otherwise;
  const out = [`if (${condition}) {`, ...lines.map((l) => `  ${l}`)];
  return otherwise.length === 0 ? [...out, '}'] : [...out, '} else {', ...otherwise.map((l) => `  ${l}`), '}'];
}

const PRIMITIVE: Record<string, { ts: string; draft: string; zero: string }> = {
  bool: { ts: 'boolean', draft: 'boolean', zero: 'false' },
  int8: { ts: 'number', draft: 'number', zero: '0' },
  int16: { ts: 'number', draft: 'number', zero: '0' },
  uint16: { ts: 'number', draft: 'number', zero: '0' },
  int32: { ts: 'number', draft: 'number', zero: '0' },
  uint32: { ts: 'number', draft: 'number', zero: '0' },
  int64: { ts: 'bigint', draft: 'bigint | number', zero: '0n' },
  float64: { ts: 'number', draft: 'number', zero: '0' },
  uuid: { ts: 'string', draft: 'string', zero: 'ZERO_UUID' },
  string: { ts: 'string', draft: 'string', zero: "''" },
  bytes: { ts: 'Buffer', draft: 'Buffer | readonly Buffer[]', zero: 'NO_BYTES' },
  records: { ts: 'Buffer', draft: 'Buffer | readonly Buffer[]', zero: 'null' },
};
/** Kinds with a plain and a compact, a nullable and a not nullable form. */
const SIZED = new Set(['string', 'bytes', 'records', 'arrayLength']);

/** One message side or record side: everything that is emitted for it. */
class Message {
  readonly out: string[] = [];
  readonly name: string;
  private readonly versions: Range;
  private readonly flexible: Range;
  private readonly shared: Map<string, Field[]>;
  private readonly emitted = new Set<string>();

  constructor(name: string, side: Side, versions: string, flexible: string) {
    this.name = name;
    this.versions = range(versions);
    this.flexible = range(flexible);
    this.shared = new Map((side.structs ?? []).map((s) => [s.name, s.fields]));
    this.struct(name, side.fields);
  }

  private fieldsOf(field: Field): Field[] | undefined {
    return field.fields ?? this.shared.get(field.type.replace('[]', ''));
  }

  private typeName(field: Field): string {
    return this.name + upper(field.type.replace('[]', ''));
  }

  /** Whether the message, or one field in the versions that have it, is in the flexible form. */
  private isFlexible(field?: Field): string {
    if (!field) return within(this.flexible, this.versions);
    return within(field.flexible === undefined ? this.flexible : meet(range(field.flexible), this.flexible), this.present(field));
  }

  private present(field: Field): Range {
    return meet(range(field.versions), this.versions);
  }

  /** Where in `part` the field may be null. */
  private mayBeNull(field: Field, part: Range): string {
    return within(range(field.nullable), part);
  }

  private ts(field: Field, draft: boolean): string {
    const kind = field.type.replace('[]', '');
    const p = PRIMITIVE[kind];
    let type = p ? (draft ? p.draft : p.ts) : this.typeName(field) + (draft ? 'Draft' : '');
    if (field.type.startsWith('[]')) type = draft ? `readonly ${type.includes(' ') ? `(${type})` : type}[]` : `${type}[]`;
    const nullable = this.nullable(field) || this.defaultOf(field) === 'null';
    return nullable ? `${type} | null` : type;
  }

  private nullable(field: Field): boolean {
    return !empty(meet(range(field.nullable), this.versions));
  }

  private mayBeLeftOut(field: Field): boolean {
    return (
      field.default !== undefined ||
      field.tagged !== undefined ||
      field.ignorable === true ||
      !covers(range(field.versions), this.versions)
    );
  }

  private defaultOf(field: Field): string {
    if (field.default === null) return 'null';
    const d = field.default;
    if (field.type.startsWith('[]')) return '[]';
    if (d !== undefined) {
      if (field.type === 'int64') return `${String(d)}n`;
      return field.type === 'string' ? `'${String(d)}'` : String(d);
    }
    return PRIMITIVE[field.type]?.zero ?? `new${this.typeName(field)}()`;
  }

  private struct(name: string, fields: Field[]): void {
    if (this.emitted.has(name)) return;
    this.emitted.add(name);
    const present = fields.filter((f) => !empty(meet(range(f.versions), this.versions)));
    for (const f of present) {
      const sub = this.fieldsOf(f);
      if (sub) this.struct(this.typeName(f), sub);
    }
    this.interfaces(name, present);
    this.out.push(...this.reader(name, present), ...this.writer(name, present));
    for (const f of present) {
      const sub = this.fieldsOf(f);
      if (sub && !f.type.startsWith('[]')) this.defaults(this.typeName(f), sub);
    }
  }

  private interfaces(name: string, fields: Field[]): void {
    this.out.push(`export interface ${name} {`);
    for (const f of fields) this.out.push(`  ${f.name}: ${this.ts(f, false)};`);
    this.out.push('  unknownTags?: UnknownTag[];', '}', '', `export interface ${name}Draft {`);
    for (const f of fields) this.out.push(`  readonly ${f.name}${this.mayBeLeftOut(f) ? '?' : ''}: ${this.ts(f, true)};`);
    this.out.push('  readonly unknownTags?: UnknownTag[];', '}', '');
  }

  /** A struct of defaults, and the test whether a draft is one (structs compare by value). */
  private defaults(name: string, fields: Field[]): void {
    if (this.emitted.has(`new${name}`)) return;
    this.emitted.add(`new${name}`);
    const present = fields.filter((f) => !empty(meet(range(f.versions), this.versions)));
    this.out.push(`export function new${name}(): ${name} {`, '  return {');
    for (const f of present) this.out.push(`    ${f.name}: ${this.defaultOf(f)},`);
    this.out.push('  };', '}', '', `export function isDefault${name}(m: ${name}Draft): boolean {`);
    this.out.push(`  return ${present.map((f) => this.isDefault(f, `m.${f.name}`, true)).join(' && ') || 'true'};`, '}', '');
  }

  /** `value` is the field's default; `draft` when it may also be left out. */
  private isDefault(field: Field, value: string, draft: boolean): string {
    const d = this.defaultOf(field);
    const left = draft && this.mayBeLeftOut(field) ? `${value} === undefined || ` : '';
    if (field.type.startsWith('[]') || field.type === 'bytes') {
      const null_ = field.default === null;
      return null_
        ? `(${left}${value} === null)`
        : `(${left}${this.nullable(field) ? `${value} !== null && ` : ''}${value}.length === 0)`;
    }
    if (this.fieldsOf(field) && d !== 'null') {
      return `(${left}${this.nullable(field) ? `${value} !== null && ` : ''}isDefault${this.typeName(field)}(${value}))`;
    }
    if (field.type === 'int64') return `(${left}${value} === ${d} || ${value} === ${d.length > 16 ? d : d.slice(0, -1)})`;
    return `(${left}${value} === ${d})`;
  }

  // -- reading

  private readPrimitive(kind: string, nullable: string, compact: string): string {
    if (!SIZED.has(kind)) return `r.${kind}()`;
    const base = kind === 'records' ? 'bytes' : kind;
    const pick = (n: boolean, c: boolean): string => {
      const plain = n ? `nullable${upper(base)}` : base;
      return `r.${c ? `compact${upper(plain)}` : plain}()`;
    };
    const byNull = (c: boolean): string =>
      nullable === 'true'
        ? pick(true, c)
        : nullable === 'false'
          ? pick(false, c)
          : `(${nullable} ? ${pick(true, c)} : ${pick(false, c)})`;
    if (compact === 'true') return byNull(true);
    return compact === 'false' ? byNull(false) : `(${compact} ? ${byNull(true)} : ${byNull(false)})`;
  }

  private readField(f: Field, tagged: boolean): string[] {
    const nullable = this.mayBeNull(f, this.present(f));
    const compact = this.isFlexible(f);
    if (!f.type.startsWith('[]')) {
      if (PRIMITIVE[f.type]) return [`${f.name} = ${this.readPrimitive(f.type, nullable, compact)};`];
      const read = `${f.name} = read${this.typeName(f)}(r, v);`;
      if (nullable === 'false') return [read];
      const present = tagged ? 'r.uvarint() > 0' : 'r.int8() >= 0';
      return guard(nullable, [...guard(present, [read], [`${f.name} = null;`])], [read]);
    }
    const kind = f.type.slice(2);
    const count = this.readPrimitive('arrayLength', nullable, compact);
    const one = PRIMITIVE[kind] ? this.readPrimitive(kind, 'false', compact) : `read${this.typeName(f)}(r, v)`;
    const element = PRIMITIVE[kind]?.ts ?? this.typeName(f);
    const local = `${f.name}_`;
    const fill = [
      `const ${local}: ${element}[] = [];`,
      `for (let i = 0; i < ${f.name}Count; i++) ${local}.push(${one});`,
      `${f.name} = ${local};`,
    ];
    const head = `const ${f.name}Count = ${count};`;
    if (nullable === 'false') return [head, ...fill];
    return [head, `if (${f.name}Count === null) {`, `  ${f.name} = null;`, '} else {', ...fill.map((l) => `  ${l}`), '}'];
  }

  private reader(name: string, fields: Field[]): string[] {
    const body: string[] = [];
    const tagged: Field[] = [];
    for (const f of fields) {
      const here = this.present(f);
      const asTag = meet(range(f.tagged), here);
      if (!empty(asTag)) tagged.push(f);
      const plain: Range = empty(asTag) ? here : { first: here.first, last: Math.min(here.last, asTag.first - 1) };
      const always = !empty(plain) && within(plain, this.versions) === 'true';
      const read = empty(plain) ? [] : this.readField(f, false);
      const simple = `${f.name} = `;
      if (always && read.length === 1 && read[0]?.startsWith(simple)) {
        body.push(`const ${read[0]}`);
        continue;
      }
      if (always && read.at(-1)?.startsWith(`${simple}${f.name}_;`)) {
        body.push(...read.slice(0, -1).map((l) => l.replaceAll(`${f.name}_`, f.name)));
        continue;
      }
      body.push(`let ${f.name}: ${this.ts(f, false)}${always ? '' : ` = ${this.defaultOf(f)}`};`);
      if (!empty(plain)) body.push(...guard(within(plain, this.versions), read));
    }
    const flexible = this.isFlexible();
    const result = `{ ${fields.map((f) => f.name).join(', ')} }`;
    const define = (lines: string[]): string[] => {
      const version = lines.some((l) => /\bv\b/.test(l)) ? 'v' : '_v';
      const reader = lines.some((l) => /\br\b/.test(l)) ? 'r' : '_r';
      return [
        `export function read${name}(${reader}: Reader, ${version}: number): ${name} {`,
        ...lines.map((l) => `  ${l}`),
        '}',
        '',
      ];
    };
    if (flexible === 'false') return define([...body, `return ${result};`]);
    const cases = tagged.flatMap((f) => {
      const when = within(meet(range(f.tagged), range(f.versions)), meet(this.versions, this.flexible));
      const test = when === 'true' ? `tag === ${f.tag}` : `tag === ${f.tag} && ${when}`;
      return [`if (${test}) {`, ...this.readField(f, true).map((l) => `  ${l}`), '  continue;', '}'];
    });
    const tags = [
      'const tagCount = r.uvarint();',
      'for (let t = 0; t < tagCount; t++) {',
      '  const tag = r.uvarint();',
      '  const size = r.uvarint();',
      ...cases.map((l) => `  ${l}`),
      '  unknownTags = r.unknownTag(tag, size, unknownTags);',
      '}',
    ];
    return define([
      ...body,
      'let unknownTags: UnknownTag[] | undefined;',
      ...guard(flexible, tags),
      `const m: ${name} = ${result};`,
      'if (unknownTags !== undefined) m.unknownTags = unknownTags;',
      'return m;',
    ]);
  }

  // -- writing

  private writePrimitive(kind: string, value: string, nullable: boolean, compact: string): string[] {
    if (!SIZED.has(kind)) return [`w.${kind}(${value});`];
    const base = kind === 'records' ? 'bytes' : kind;
    const plain = nullable ? `nullable${upper(base)}` : base;
    return guard(compact, [`w.compact${upper(plain)}(${value});`], [`w.${plain}(${value});`]);
  }

  private writeField(f: Field, value: string, tagged: boolean): string[] {
    const nullable = this.nullable(f) || this.defaultOf(f) === 'null';
    const partly = this.mayBeNull(f, this.present(f));
    const compact = this.isFlexible(f);
    const refuse =
      partly === 'true' || !nullable
        ? []
        : [
            `if (${value} === null${partly === 'false' ? '' : ` && !(${partly})`}) throw new RangeError('${this.name}.${f.name} may not be null in version ' + v);`,
          ];
    if (!f.type.startsWith('[]')) {
      if (PRIMITIVE[f.type]) return [...refuse, ...this.writePrimitive(f.type, value, nullable, compact)];
      const write = `write${this.typeName(f)}(w, ${value}, v);`;
      if (!nullable) return [write];
      const absent = tagged ? 'w.uvarint(0);' : 'w.int8(-1);';
      const present = tagged ? 'w.uvarint(1);' : 'w.int8(1);';
      const both = [`if (${value} === null) {`, `  ${absent}`, '} else {', `  ${present}`, `  ${write}`, '}'];
      return partly === 'true'
        ? both
        : [
            ...refuse,
            `if (${value} !== null) {`,
            ...guard(partly, [present]).map((l) => `  ${l}`),
            `  ${write}`,
            '} else {',
            `  ${absent}`,
            '}',
          ];
    }
    const kind = f.type.slice(2);
    const one = PRIMITIVE[kind] ? this.writePrimitive(kind, 'x', false, compact) : [`write${this.typeName(f)}(w, x, v);`];
    const loop = [`for (const x of ${value}) {`, ...one.map((l) => `  ${l}`), '}'];
    if (!nullable)
      return [...guard(compact, [`w.compactArrayLength(${value}.length);`], [`w.arrayLength(${value}.length);`]), ...loop];
    const size = `${value} === null ? null : ${value}.length`;
    const head = guard(compact, [`w.compactNullableArrayLength(${size});`], [`w.nullableArrayLength(${size});`]);
    return [...refuse, ...head, `if (${value} !== null) {`, ...loop.map((l) => `  ${l}`), '}'];
  }

  private writer(name: string, fields: Field[]): string[] {
    const body: string[] = [];
    const tagged: { f: Field; value: string; when: string }[] = [];
    for (const f of fields) {
      const here = this.present(f);
      const asTag = meet(range(f.tagged), here);
      const value = `${f.name}_`;
      const get = this.mayBeLeftOut(f)
        ? `const ${value} = m.${f.name} === undefined ? ${this.defaultOf(f)} : m.${f.name};`
        : `const ${value} = m.${f.name};`;
      body.push(get);
      if (!empty(asTag)) tagged.push({ f, value, when: within(asTag, meet(this.versions, this.flexible)) });
      const plain: Range = empty(asTag) ? here : { first: here.first, last: Math.min(here.last, asTag.first - 1) };
      const condition = within(plain, this.versions);
      const absent = within(here, this.versions);
      const lost =
        f.ignorable || absent === 'true'
          ? []
          : guard(`!(${absent}) && !${this.isDefault(f, value, false)}`, [
              `throw new RangeError('${this.name}.${f.name} has no place in version ' + v);`,
            ]);
      if (!empty(plain)) body.push(...guard(condition, this.writeField(f, value, false)));
      body.push(...lost);
    }
    const flexible = this.isFlexible();
    const lines = flexible === 'false' ? body : [...body, ...guard(flexible, this.writeTags(tagged))];
    const version = lines.some((l) => /\bv\b/.test(l)) ? 'v' : '_v';
    const [w, m] = lines.length > 0 ? ['w', 'm'] : ['_w', '_m'];
    return [
      `export function write${name}(${w}: Writer, ${m}: ${name}Draft, ${version}: number): void {`,
      ...lines.map((l) => `  ${l}`),
      '}',
      '',
    ];
  }

  private writeTags(tagged: { f: Field; value: string; when: string }[]): string[] {
    const sorted = tagged.toSorted((a, b) => (a.f.tag ?? 0) - (b.f.tag ?? 0));
    const lines = [
      sorted.length > 0 ? 'let tagCount = m.unknownTags?.length ?? 0;' : 'const tagCount = m.unknownTags?.length ?? 0;',
    ];
    for (const { f, value, when } of sorted) {
      const set = `!${this.isDefault(f, value, false)}`;
      lines.push(`const ${f.name}Set = ${when === 'true' ? set : `${when} && ${set}`};`, `if (${f.name}Set) tagCount++;`);
    }
    lines.push('w.uvarint(tagCount);');
    let after = -1;
    for (const { f, value } of sorted) {
      const tag = f.tag ?? 0;
      if (tag - after > 1) lines.push(`w.unknownTags(m.unknownTags, ${after}, ${tag});`);
      lines.push(
        `if (${f.name}Set) {`,
        `  const begin = w.beginTag(${tag});`,
        ...this.writeField(f, value, true).map((l) => `  ${l}`),
        '  w.endTag(begin);',
        '}',
      );
      after = tag;
    }
    lines.push(`w.unknownTags(m.unknownTags, ${after}, Number.POSITIVE_INFINITY);`);
    return lines;
  }
}

// -- files

const HEAD = '// Generated from protocol/ by protocol/generate.ts. Do not edit.';

function file(name: string, lines: string[], up = '..'): void {
  const body = lines.join('\n');
  const imports: string[] = [];
  const fromReader = ['Reader', 'UnknownTag'].filter((n) => new RegExp(`\\b${n}\\b`).test(body));
  if (fromReader.length > 0) imports.push(`import type { ${fromReader.join(', ')} } from '${up}/reader.ts';`);
  if (/\bWriter\b/.test(body)) imports.push(`import type { Writer } from '${up}/writer.ts';`);
  if (body.includes('ZERO_UUID')) imports.push(`import { ZERO_UUID } from '${up}/uuid.ts';`);
  const bytes = body.includes('NO_BYTES') ? ['', 'const NO_BYTES = Buffer.alloc(0);'] : [];
  writeFileSync(join(target, name), [HEAD, ...imports, ...bytes, '', body].join('\n'));
}

const load = <T>(name: string): T => JSON.parse(readFileSync(join(source, name), 'utf8')) as T;
const loadAll = <T>(folder: string): T[] => readdirSync(join(source, folder)).map((name) => load<T>(join(folder, name)));

function generateApis(apis: Api[]): void {
  const alive = apis.filter((a) => a.versions !== 'none').sort((a, b) => a.key - b.key);
  const [clientImports, serverImports]: [string[], string[]] = [[], []];
  const [table, serverTable, apiTypes]: [string[], string[], string[]] = [[], [], []];
  for (const api of alive) {
    const lines: string[] = [];
    for (const side of ['request', 'response'] as const) {
      const schema = api[side];
      if (schema) lines.push(...new Message(api.name + upper(side), schema, api.versions, api.flexible).out);
    }
    file(`${kebab(api.name)}.ts`, lines);
    const { name } = api;
    const types = ['Request', 'RequestDraft', 'Response', 'ResponseDraft'].map((s) => `type ${name}${s}`);
    clientImports.push(
      `import { ${[...types, `write${name}Request`, `read${name}Response`].join(', ')} } from './${kebab(name)}.ts';`,
    );
    serverImports.push(`import { read${name}Request, write${name}Response } from './${kebab(name)}.ts';`);
    const v = range(api.versions);
    const flexible = range(api.flexible);
    serverTable.push(
      `  ${lower(name)}: { key: ${api.key}, name: '${name}', minVersion: ${v.first}, maxVersion: ${v.last}, flexibleFrom: ${empty(flexible) ? 'Number.POSITIVE_INFINITY' : flexible.first}, latestVersionUnstable: ${api.latestVersionUnstable ?? false}, listeners: ${JSON.stringify(api.listeners).replaceAll('"', "'")}, readRequest: read${name}Request, writeResponse: write${name}Response },`,
    );
    table.push(
      `  ${lower(name)}: { ...SERVER_APIS.${lower(name)}, writeRequest: write${name}Request, readResponse: read${name}Response },`,
    );
    apiTypes.push(
      `  ${lower(name)}: { request: ${name}Request; requestDraft: ${name}RequestDraft; response: ${name}Response; responseDraft: ${name}ResponseDraft };`,
    );
  }
  file('server-apis.ts', [
    "import type { ApiName, ApiTypes } from './apis.ts';",
    ...serverImports,
    '',
    '/** One API as a broker needs it: its numbers, and the half of its codecs. `minVersion` to `maxVersion` are the versions that have a schema. */',
    'export interface ServerApi<N extends ApiName = ApiName> {',
    '  readonly key: number;',
    '  readonly name: string;',
    '  readonly minVersion: number;',
    '  readonly maxVersion: number;',
    '  readonly flexibleFrom: number;',
    '  readonly latestVersionUnstable: boolean;',
    "  readonly listeners: readonly ('broker' | 'controller' | 'zkBroker')[];",
    "  readRequest(r: Reader, v: number): ApiTypes[N]['request'];",
    "  writeResponse(w: Writer, m: ApiTypes[N]['responseDraft'], v: number): void;",
    '}',
    '',
    '/** Every API that has a schema, by its name in lower camel case. Apart from the half of clients, so that a bundle can do without that. */',
    'export const SERVER_APIS: { readonly [N in ApiName]: ServerApi<N> } = {',
    ...serverTable,
    '};',
    '',
  ]);
  file('apis.ts', [
    ...clientImports,
    "import { SERVER_APIS, type ServerApi } from './server-apis.ts';",
    '',
    'export interface ApiTypes {',
    ...apiTypes,
    '}',
    '',
    'export type ApiName = keyof ApiTypes;',
    '',
    '/** One API with all its codecs. */',
    'export interface Api<N extends ApiName = ApiName> extends ServerApi<N> {',
    "  writeRequest(w: Writer, m: ApiTypes[N]['requestDraft'], v: number): void;",
    "  readResponse(r: Reader, v: number): ApiTypes[N]['response'];",
    '}',
    '',
    '/** Every API that has a schema, by its name in lower camel case. */',
    'export const APIS: { readonly [N in ApiName]: Api<N> } = {',
    ...table,
    '};',
    '',
  ]);
}

function generateHeaders(): void {
  for (const name of ['RequestHeader', 'ResponseHeader']) {
    const header = load<Side & { versions: string; flexible: string }>(`${kebab(name)}.json`);
    file(`${kebab(name)}.ts`, new Message(name, header, header.versions, header.flexible).out);
  }
}

function generateRecords(records: Rec[]): void {
  mkdirSync(join(target, 'records'));
  const families = new Map<string, Rec[]>();
  for (const record of records) {
    families.set(record.family, [...(families.get(record.family) ?? []), record]);
    const lines: string[] = [];
    for (const [suffix, side] of [
      ['Key', record.keySchema],
      ['Value', record.valueSchema],
    ] as const) {
      if (side)
        lines.push(
          ...new Message(record.name + suffix, side, side.versions ?? record.versions ?? '0', side.flexible ?? 'none').out,
        );
    }
    if ('fields' in record)
      lines.push(...new Message(record.name, record, record.versions ?? '0', record.flexible ?? 'none').out);
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

function generateErrors(): void {
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

function generateRelease(): void {
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
function generateFacts(): void {
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

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
generateApis(loadAll<Api>('api'));
generateHeaders();
generateRecords(loadAll<Rec>('records'));
generateErrors();
generateRelease();
generateFacts();
