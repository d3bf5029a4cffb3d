/** What generated code has to know of the fields of one message or record, at the versions that it has. */
import { upper } from './names.ts';
import type { Field, Side } from './schema.ts';
import { covers, empty, meet, type Range, range, within } from './versions.ts';

export const PRIMITIVE: Record<string, { ts: string; draft: string; zero: string }> = {
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
export const SIZED = new Set(['string', 'bytes', 'records', 'arrayLength']);

export class Shape {
  readonly name: string;
  readonly versions: Range;
  readonly flexible: Range;
  private readonly shared: Map<string, Field[]>;

  constructor(name: string, side: Side, versions: string, flexible: string) {
    this.name = name;
    this.versions = range(versions);
    this.flexible = range(flexible);
    this.shared = new Map((side.structs ?? []).map((s) => [s.name, s.fields]));
  }

  fieldsOf(field: Field): Field[] | undefined {
    return field.fields ?? this.shared.get(field.type.replace('[]', ''));
  }

  typeName(field: Field): string {
    return this.name + upper(field.type.replace('[]', ''));
  }

  /** Whether the message, or one field in the versions that have it, is in the flexible form. */
  isFlexible(field?: Field): string {
    if (!field) return within(this.flexible, this.versions);
    return within(field.flexible === undefined ? this.flexible : meet(range(field.flexible), this.flexible), this.present(field));
  }

  present(field: Field): Range {
    return meet(range(field.versions), this.versions);
  }

  /** Where in `part` the field may be null. */
  mayBeNull(field: Field, part: Range): string {
    return within(range(field.nullable), part);
  }

  ts(field: Field, draft: boolean): string {
    const kind = field.type.replace('[]', '');
    const p = PRIMITIVE[kind];
    let type = p ? (draft ? p.draft : p.ts) : this.typeName(field) + (draft ? 'Draft' : '');
    if (field.type.startsWith('[]')) type = draft ? `readonly ${type.includes(' ') ? `(${type})` : type}[]` : `${type}[]`;
    const nullable = this.nullable(field) || this.defaultOf(field) === 'null';
    return nullable ? `${type} | null` : type;
  }

  nullable(field: Field): boolean {
    return !empty(meet(range(field.nullable), this.versions));
  }

  mayBeLeftOut(field: Field): boolean {
    return (
      field.default !== undefined ||
      field.tagged !== undefined ||
      field.ignorable === true ||
      !covers(range(field.versions), this.versions)
    );
  }

  defaultOf(field: Field): string {
    if (field.default === null) return 'null';
    const d = field.default;
    if (field.type.startsWith('[]')) return '[]';
    if (d !== undefined) {
      if (field.type === 'int64') return `${String(d)}n`;
      return field.type === 'string' ? `'${String(d)}'` : String(d);
    }
    return PRIMITIVE[field.type]?.zero ?? `new${this.typeName(field)}()`;
  }

  /** `value` is the field's default; `draft` when it may also be left out. */
  isDefault(field: Field, value: string, draft: boolean): string {
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
}
