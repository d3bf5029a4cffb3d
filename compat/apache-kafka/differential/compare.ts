/** Answers as plain values under masks, and where two of them differ. */
import { MASKS, type Mask } from './masks.ts';

export type Plain = null | boolean | number | string | Plain[] | { readonly [name: string]: Plain };

/** int64 as decimal text, bytes as hex. */
export function plain(value: unknown): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
  if (Array.isArray(value)) {
    return value.length > 0 && value.every((one) => Buffer.isBuffer(one)) ? plain(Buffer.concat(value)) : value.map(plain);
  }
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return value as Plain;
}

const NOTHING = new Set<Plain>([null, 0, -1, '0', '-1', '', 'AAAAAAAAAAAAAAAAAAAAAA']);
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[\w-]{22}(?=-[A-Z]|$)/g;

const textAt = (element: Plain, field: string | undefined): string =>
  element !== null && typeof element === 'object' && !Array.isArray(element) && field !== undefined
    ? String(element[field])
    : String(element);

function masked(mask: Mask, value: Plain, prefix: string): Plain {
  switch (mask.how) {
    case 'ignore':
      return '<something>';
    case 'presence':
      return NOTHING.has(value) ? value : '<some>';
    case 'id':
      return value === null || value === '-1' || value === -1 ? value : '<some>';
    case 'times':
      return typeof value === 'string' ? value.replaceAll(/-?\d{13,}/g, '<time>') : value;
    case 'uuid':
      return typeof value === 'string' ? value.replaceAll(UUID, '<uuid>') : value;
    case 'sort': {
      if (!Array.isArray(value)) return value;
      const key = (element: Plain): string => `${textAt(element, mask.by).padStart(12, '0')} ${textAt(element, 'topicId')}`;
      return [...value].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    }
    case 'except':
      return Array.isArray(value) ? value.filter((element) => mask.names?.includes(textAt(element, mask.by)) !== true) : value;
    case 'own':
      return Array.isArray(value)
        ? value.filter((element) => textAt(element, mask.by).startsWith(prefix) || textAt(element, mask.by) === 'null')
        : value;
  }
}

/** `answer` with everything masked that may differ. */
export function maskedAnswer(api: string, answer: Plain, prefix: string, inForce: readonly Mask[] = MASKS): Plain {
  const masks = inForce.filter((mask) => mask.api === api || mask.api === '*');
  const visit = (value: Plain, path: string): Plain => {
    let current = value;
    for (const mask of masks) if (mask.path === path) current = masked(mask, current, prefix);
    if (Array.isArray(current)) return current.map((element) => visit(element, `${path}[]`));
    if (current === null || typeof current !== 'object') return current;
    return Object.fromEntries(
      Object.entries(current).map(([name, inner]) => [name, visit(inner, path === '' ? name : `${path}.${name}`)]),
    );
  };
  return visit(answer, '');
}

const short = (value: Plain | undefined): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
};

/** `path: expected, got actual` for every field that differs. */
export function differences(expected: Plain | undefined, actual: Plain | undefined, path = ''): string[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const length = Math.max(expected.length, actual.length);
    return Array.from({ length }, (_, i) => differences(expected[i], actual[i], `${path}[${i}]`)).flat();
  }
  const isStruct = (value: Plain | undefined): value is { readonly [name: string]: Plain } =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isStruct(expected) && isStruct(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) => differences(expected[name], actual[name], path === '' ? name : `${path}.${name}`));
  }
  return expected === actual ? [] : [`${path || 'answer'}: Kafka ${short(expected)}, Blumfeld ${short(actual)}`];
}
