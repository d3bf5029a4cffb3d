/**
 * Requests made from the schemas: every field has a value of its type, drawn from what its name makes likely (topics that exist and that do not, partitions,
 * offsets, groups, batches) and from the ends of its type. The same random numbers give the same request.
 */
import type { Field, Schema } from '../../test/support/protocol-data.ts';
import type { SeededRandom } from '../../test/sim/seeded-random.ts';
import { CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import type { CompressionCodec } from '../../src/wire/compression/codec.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';

export interface Vocabulary {
  /** Topics that the fuzzer may do anything to. */
  readonly topics: readonly string[];
  readonly topicIds: readonly string[];
}

const STRINGS = [
  '',
  'a',
  'ä\u{1f600}',
  '__consumer_offsets',
  '__cluster_metadata',
  '..',
  'x'.repeat(249),
  'y'.repeat(5000),
  '*',
  '127.0.0.1',
];
const CONFIGS = ['retention.ms', 'cleanup.policy', 'segment.bytes', 'compression.type', 'no.such.config'];
const CONFIG_VALUES = ['1', '-1', '1048576', 'compact', 'delete', 'compact,delete', 'zstd', 'true', '', '9'.repeat(30), null];
const GROUPS = ['g', 'h', '', 'group with spaces'];
const MEMBERS = ['', 'm', 'test-00000000-0000-0000-0000-000000000000'];
const INT64 = [0n, 1n, -1n, -2n, -3n, 5n, 100n, 1n << 53n, -(1n << 53n), (1n << 63n) - 1n, -(1n << 63n), 1_700_000_000_000n];

export function isIn(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false;
  const [, low = '0', dash, high] = /^(\d+)(\+|-)?(\d+)?$/.exec(versions) ?? [];
  if (dash === undefined) return version === Number(low);
  return version >= Number(low) && (high === undefined || version <= Number(high));
}

type NullableField = Field & { readonly nullable?: string };

export class Grammar {
  readonly #random: SeededRandom;
  readonly #words: Vocabulary;

  constructor(random: SeededRandom, words: Vocabulary) {
    this.#random = random;
    this.#words = words;
  }

  request(schema: Schema, version: number): object {
    return this.#struct(schema, schema.fields, version, 0);
  }

  #struct(schema: Schema, fields: readonly Field[], version: number, depth: number): object {
    const out: Record<string, unknown> = {};
    for (const field of fields) {
      if (!isIn(field.versions, version)) continue;
      if (field.tagged !== undefined && isIn(field.tagged, version) && this.#random.oneIn(2)) continue;
      out[field.name] = this.#field(schema, field, version, depth);
    }
    return out;
  }

  #field(schema: Schema, field: NullableField, version: number, depth: number): unknown {
    if (isIn(field.nullable, version) && this.#random.oneIn(6)) return null;
    if (!field.type.startsWith('[]')) return this.#one(schema, field, field.type, version, depth);
    const count = this.#random.oneIn(60) ? this.#random.between(20, 300) : this.#random.below(4);
    const length = depth > 1 ? Math.min(count, 20) : count;
    return Array.from({ length }, () => this.#one(schema, field, field.type.slice(2), version, depth + 1));
  }

  #one(schema: Schema, field: Field, type: string, version: number, depth: number): unknown {
    const random = this.#random;
    switch (type) {
      case 'bool':
        return random.oneIn(2);
      case 'int8':
        return random.oneIn(3) ? random.between(-128, 127) : random.pick([0, 1, 2, 4, -1, 32]);
      case 'int16':
        return random.oneIn(4) ? random.between(-32_768, 32_767) : random.pick([0, 1, -1, 2, 3]);
      case 'uint16':
        return random.below(65_536);
      case 'int32':
        return this.#int32(field.name);
      case 'uint32':
        return random.pick([0, 1, 0xffff_ffff]);
      case 'int64':
        return random.pick(INT64);
      case 'float64':
        return random.pick([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]);
      case 'uuid':
        return random.oneIn(4)
          ? random.bytes(16).toString('base64url')
          : random.pick([...this.#words.topicIds, 'AAAAAAAAAAAAAAAAAAAAAA']);
      case 'string':
        return this.#string(field.name);
      case 'bytes':
        return random.oneIn(3) ? random.bytes(random.below(200)) : Buffer.alloc(0);
      case 'records':
        return this.#records();
      default: {
        const fields = field.fields ?? schema.structs?.find(({ name }) => name === type)?.fields;
        if (fields === undefined) throw new Error(`no value for a field of type ${type}`);
        return this.#struct(schema, fields, version, depth);
      }
    }
  }

  #int32(name: string): number {
    const random = this.#random;
    // What waits is answered soon, so that the fuzzer goes on.
    if (/(?:maxWait|timeout|rebalanceTimeout|sessionTimeout)Ms$/i.test(name)) return random.pick([0, 1, 10, 20, -1, 6000]);
    // Ten thousand partitions are allowed, and take their time.
    if (/^(?:numPartitions|count)$/.test(name)) return random.pick([-1, 0, 1, 2, 3, -5, 10_001, 0x7fff_ffff]);
    if (random.oneIn(8)) return random.pick([0x7fff_ffff, -0x8000_0000, random.between(-0x8000_0000, 0x7fff_ffff)]);
    return random.pick([0, 0, 0, 1, 2, 3, -1, -2, 10, 1000, 1_000_000]);
  }

  #string(name: string): string | null {
    const random = this.#random;
    if (random.oneIn(12)) return random.pick(STRINGS);
    if (/group/i.test(name) || name === 'key' || name === 'coordinatorKeys') return random.pick(GROUPS);
    if (/member/i.test(name)) return random.pick(MEMBERS);
    if (/protocol/i.test(name)) return random.pick(['consumer', 'range', '']);
    if (/^(?:topic|name|topicName|topics|topicNames|resourceName|transactionalId)$/.test(name))
      return random.oneIn(6) ? random.pick([...STRINGS, ...CONFIGS]) : random.pick(this.#words.topics);
    if (/config|synonym/i.test(name)) return random.pick(CONFIGS);
    if (name === 'value') return random.pick(CONFIG_VALUES);
    return random.pick(STRINGS);
  }

  #records(): Buffer {
    const random = this.#random;
    const records = Array.from({ length: random.between(1, 5) }, () => ({
      key: random.oneIn(3) ? null : random.bytes(random.below(10)),
      value: random.oneIn(5) ? null : random.bytes(random.below(100)),
      timestamp: random.oneIn(5) ? Number(random.pick([0n, -1n, 1n << 50n])) : Date.now(),
      headers: random.oneIn(3) ? [{ key: 'h', value: random.bytes(3) }] : [],
    }));
    const batch = buildBatch({
      baseOffset: random.oneIn(10) ? 7 : 0,
      partitionLeaderEpoch: -1,
      records,
      codec: random.below(5) as CompressionCodec,
      ...(random.oneIn(3) ? { producerId: random.below(3), producerEpoch: 0, baseSequence: random.below(5) } : {}),
      ...(random.oneIn(8) ? { transactional: true } : {}),
      ...(random.oneIn(12) ? { control: true } : {}),
    });
    if (random.oneIn(3)) return batch;
    const damaged = mutated(batch, random);
    // With the checksum right again, what is behind it is looked at.
    if (random.oneIn(2) && damaged.length >= 61 && damaged.length === batch.length) {
      try {
        damaged.writeUInt32BE(new RecordBatch(damaged).computeCrc(), CRC_AT);
      } catch {
        return damaged;
      }
    }
    return damaged;
  }
}

/** Bits flipped, bytes set to extremes, cut, repeated or put in. */
export function mutated(bytes: Buffer, random: SeededRandom): Buffer {
  let out = Buffer.from(bytes);
  for (let changes = random.between(1, 4); changes > 0 && out.length > 0; changes--) {
    const at = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        out[at] = (out[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        out.fill(random.pick([0, 0x7f, 0x80, 0xff]), at, Math.min(out.length, at + random.pick([1, 2, 4, 8])));
        break;
      case 2:
        out = Buffer.from(out.subarray(0, at));
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), random.bytes(random.between(1, 20)), out.subarray(at)]);
        break;
      case 4: {
        const end = Math.min(out.length, at + random.between(1, 40));
        out = Buffer.concat([out.subarray(0, end), out.subarray(at)]);
        break;
      }
      default: {
        const end = Math.min(out.length, at + random.between(1, 8));
        out = Buffer.concat([out.subarray(0, at), out.subarray(end)]);
      }
    }
  }
  return out;
}
