/** What is emitted for one message side or record side: interfaces, readers, writers and defaults of all its structs, inner ones first. */
import { reader } from './reading.ts';
import type { Field, Side } from './schema.ts';
import { Shape } from './shape.ts';
import { empty, meet, range } from './versions.ts';
import { writer } from './writing.ts';

export const linesOf = (name: string, side: Side, versions: string, flexible: string): readonly string[] =>
  new Message(new Shape(name, side, versions, flexible), side.fields).out;

class Message {
  readonly out: string[] = [];
  private readonly shape: Shape;
  private readonly emitted = new Set<string>();

  constructor(shape: Shape, fields: Field[]) {
    this.shape = shape;
    this.struct(shape.name, fields);
  }

  private struct(name: string, fields: Field[]): void {
    if (this.emitted.has(name)) return;
    this.emitted.add(name);
    const present = fields.filter((f) => !empty(meet(range(f.versions), this.shape.versions)));
    for (const f of present) {
      const sub = this.shape.fieldsOf(f);
      if (sub) this.struct(this.shape.typeName(f), sub);
    }
    this.interfaces(name, present);
    this.out.push(...reader(this.shape, name, present), ...writer(this.shape, name, present));
    for (const f of present) {
      const sub = this.shape.fieldsOf(f);
      if (sub && !f.type.startsWith('[]')) this.defaults(this.shape.typeName(f), sub);
    }
  }

  private interfaces(name: string, fields: Field[]): void {
    this.out.push(`export interface ${name} {`);
    for (const f of fields) this.out.push(`  ${f.name}: ${this.shape.ts(f, false)};`);
    this.out.push('  unknownTags?: UnknownTag[];', '}', '', `export interface ${name}Draft {`);
    for (const f of fields)
      this.out.push(`  readonly ${f.name}${this.shape.mayBeLeftOut(f) ? '?' : ''}: ${this.shape.ts(f, true)};`);
    this.out.push('  readonly unknownTags?: UnknownTag[];', '}', '');
  }

  /** A struct of defaults, and the test whether a draft is one (structs compare by value). */
  private defaults(name: string, fields: Field[]): void {
    if (this.emitted.has(`new${name}`)) return;
    this.emitted.add(`new${name}`);
    const present = fields.filter((f) => !empty(meet(range(f.versions), this.shape.versions)));
    this.out.push(`export function new${name}(): ${name} {`, '  return {');
    for (const f of present) this.out.push(`    ${f.name}: ${this.shape.defaultOf(f)},`);
    this.out.push('  };', '}', '', `export function isDefault${name}(m: ${name}Draft): boolean {`);
    this.out.push(
      `  return ${present.map((f) => this.shape.isDefault(f, `m.${f.name}`, true)).join(' && ') || 'true'};`,
      '}',
      '',
    );
  }
}
