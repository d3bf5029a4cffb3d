/** Ranges of versions, as the contract writes them (`0`, `2-5`, `3+`, `none`), and as conditions over the variable `v` of generated code. */
export interface Range {
  first: number;
  last: number;
}

const NONE: Range = { first: 0, last: -1 };

export function range(text: string | undefined): Range {
  if (text === undefined || text === 'none') return NONE;
  const plus = /^(\d+)\+$/.exec(text);
  if (plus) return { first: Number(plus[1]), last: Number.POSITIVE_INFINITY };
  const [first, last] = text.split('-');
  return { first: Number(first), last: Number(last ?? first) };
}

export const empty = (r: Range): boolean => r.last < r.first;
export const meet = (a: Range, b: Range): Range => ({ first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) });
export const covers = (a: Range, b: Range): boolean => a.first <= b.first && a.last >= b.last;

/** The version `v` in range, as an expression over the versions of `all`; 'true' and 'false' when it is constant. */
export function within(part: Range, all: Range): string {
  const r = meet(part, all);
  if (empty(r)) return 'false';
  const tests: string[] = [];
  if (r.first === r.last && all.first !== all.last) return `v === ${r.first}`;
  if (r.first > all.first) tests.push(`v >= ${r.first}`);
  if (r.last < all.last) tests.push(`v <= ${r.last}`);
  return tests.length === 0 ? 'true' : tests.join(' && ');
}

export function guard(condition: string, lines: string[], otherwise: string[] = []): string[] {
  if (condition === 'true') return lines;
  if (condition === 'false') return otherwise;
  const out = [`if (${condition}) {`, ...lines.map((l) => `  ${l}`)];
  return otherwise.length === 0 ? [...out, '}'] : [...out, '} else {', ...otherwise.map((l) => `  ${l}`), '}'];
}
