/** Functions that write a struct, one `writeX(w, m, v)` for each. */
import { upper } from './names.ts';
import type { Field } from './schema.ts';
import { PRIMITIVE, type Shape, SIZED } from './shape.ts';
import { empty, guard, meet, type Range, range, within } from './versions.ts';

export function writer(shape: Shape, name: string, fields: Field[]): string[] {
  const body: string[] = [];
  const tagged: { f: Field; value: string; when: string }[] = [];
  for (const f of fields) {
    const here = shape.present(f);
    const asTag = meet(range(f.tagged), here);
    const value = `${f.name}_`;
    const get = shape.mayBeLeftOut(f)
      ? `const ${value} = m.${f.name} === undefined ? ${shape.defaultOf(f)} : m.${f.name};`
      : `const ${value} = m.${f.name};`;
    body.push(get);
    if (!empty(asTag)) tagged.push({ f, value, when: within(asTag, meet(shape.versions, shape.flexible)) });
    const plain: Range = empty(asTag) ? here : { first: here.first, last: Math.min(here.last, asTag.first - 1) };
    const condition = within(plain, shape.versions);
    const absent = within(here, shape.versions);
    const lost =
      f.ignorable || absent === 'true'
        ? []
        : guard(`!(${absent}) && !${shape.isDefault(f, value, false)}`, [
            `throw new RangeError('${shape.name}.${f.name} has no place in version ' + v);`,
          ]);
    if (!empty(plain)) body.push(...guard(condition, writeField(shape, f, value, false)));
    body.push(...lost);
  }
  const flexible = shape.isFlexible();
  const lines = flexible === 'false' ? body : [...body, ...guard(flexible, writeTags(shape, tagged))];
  const version = lines.some((l) => /\bv\b/.test(l)) ? 'v' : '_v';
  const [w, m] = lines.length > 0 ? ['w', 'm'] : ['_w', '_m'];
  return [
    `export function write${name}(${w}: Writer, ${m}: ${name}Draft, ${version}: number): void {`,
    ...lines.map((l) => `  ${l}`),
    '}',
    '',
  ];
}

function writePrimitive(kind: string, value: string, nullable: boolean, compact: string): string[] {
  if (!SIZED.has(kind)) return [`w.${kind}(${value});`];
  const base = kind === 'records' ? 'bytes' : kind;
  const plain = nullable ? `nullable${upper(base)}` : base;
  return guard(compact, [`w.compact${upper(plain)}(${value});`], [`w.${plain}(${value});`]);
}

function writeField(shape: Shape, f: Field, value: string, tagged: boolean): string[] {
  const nullable = shape.nullable(f) || shape.defaultOf(f) === 'null';
  const partly = shape.mayBeNull(f, shape.present(f));
  const compact = shape.isFlexible(f);
  const refuse =
    partly === 'true' || !nullable
      ? []
      : [
          `if (${value} === null${partly === 'false' ? '' : ` && !(${partly})`}) throw new RangeError('${shape.name}.${f.name} may not be null in version ' + v);`,
        ];
  if (!f.type.startsWith('[]')) {
    if (PRIMITIVE[f.type]) return [...refuse, ...writePrimitive(f.type, value, nullable, compact)];
    const write = `write${shape.typeName(f)}(w, ${value}, v);`;
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
  const one = PRIMITIVE[kind] ? writePrimitive(kind, 'x', false, compact) : [`write${shape.typeName(f)}(w, x, v);`];
  const loop = [`for (const x of ${value}) {`, ...one.map((l) => `  ${l}`), '}'];
  if (!nullable)
    return [...guard(compact, [`w.compactArrayLength(${value}.length);`], [`w.arrayLength(${value}.length);`]), ...loop];
  const size = `${value} === null ? null : ${value}.length`;
  const head = guard(compact, [`w.compactNullableArrayLength(${size});`], [`w.nullableArrayLength(${size});`]);
  return [...refuse, ...head, `if (${value} !== null) {`, ...loop.map((l) => `  ${l}`), '}'];
}

function writeTags(shape: Shape, tagged: { f: Field; value: string; when: string }[]): string[] {
  const sorted = tagged.toSorted((a, b) => (a.f.tag ?? 0) - (b.f.tag ?? 0));
  const lines = [
    sorted.length > 0 ? 'let tagCount = m.unknownTags?.length ?? 0;' : 'const tagCount = m.unknownTags?.length ?? 0;',
  ];
  for (const { f, value, when } of sorted) {
    const set = `!${shape.isDefault(f, value, false)}`;
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
      ...writeField(shape, f, value, true).map((l) => `  ${l}`),
      '  w.endTag(begin);',
      '}',
    );
    after = tag;
  }
  lines.push(`w.unknownTags(m.unknownTags, ${after}, Number.POSITIVE_INFINITY);`);
  return lines;
}
