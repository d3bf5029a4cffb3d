/** Functions that read a struct, one `readX(r, v)` for each. */
import { upper } from './names.ts';
import type { Field } from './schema.ts';
import { PRIMITIVE, type Shape, SIZED } from './shape.ts';
import { empty, guard, meet, type Range, range, within } from './versions.ts';

export function reader(shape: Shape, name: string, fields: Field[]): string[] {
  const body: string[] = [];
  const tagged: Field[] = [];
  for (const f of fields) {
    const here = shape.present(f);
    const asTag = meet(range(f.tagged), here);
    if (!empty(asTag)) tagged.push(f);
    const plain: Range = empty(asTag) ? here : { first: here.first, last: Math.min(here.last, asTag.first - 1) };
    const always = !empty(plain) && within(plain, shape.versions) === 'true';
    const read = empty(plain) ? [] : readField(shape, f, false);
    const simple = `${f.name} = `;
    if (always && read.length === 1 && read[0]?.startsWith(simple)) {
      body.push(`const ${read[0]}`);
      continue;
    }
    if (always && read.at(-1)?.startsWith(`${simple}${f.name}_;`)) {
      body.push(...read.slice(0, -1).map((l) => l.replaceAll(`${f.name}_`, f.name)));
      continue;
    }
    body.push(`let ${f.name}: ${shape.ts(f, false)}${always ? '' : ` = ${shape.defaultOf(f)}`};`);
    if (!empty(plain)) body.push(...guard(within(plain, shape.versions), read));
  }
  const flexible = shape.isFlexible();
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
    const when = within(meet(range(f.tagged), range(f.versions)), meet(shape.versions, shape.flexible));
    const test = when === 'true' ? `tag === ${f.tag}` : `tag === ${f.tag} && ${when}`;
    return [`if (${test}) {`, ...readField(shape, f, true).map((l) => `  ${l}`), '  continue;', '}'];
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

function readField(shape: Shape, f: Field, tagged: boolean): string[] {
  const nullable = shape.mayBeNull(f, shape.present(f));
  const compact = shape.isFlexible(f);
  if (!f.type.startsWith('[]')) {
    if (PRIMITIVE[f.type]) return [`${f.name} = ${readPrimitive(f.type, nullable, compact)};`];
    const read = `${f.name} = read${shape.typeName(f)}(r, v);`;
    if (nullable === 'false') return [read];
    const present = tagged ? 'r.uvarint() > 0' : 'r.int8() >= 0';
    return guard(nullable, [...guard(present, [read], [`${f.name} = null;`])], [read]);
  }
  const kind = f.type.slice(2);
  const count = readPrimitive('arrayLength', nullable, compact);
  const one = PRIMITIVE[kind] ? readPrimitive(kind, 'false', compact) : `read${shape.typeName(f)}(r, v)`;
  const element = PRIMITIVE[kind]?.ts ?? shape.typeName(f);
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

function readPrimitive(kind: string, nullable: string, compact: string): string {
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
