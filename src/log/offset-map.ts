/**
 * The latest offset of each key, in a fixed amount of memory however long the keys are: 24 bytes a slot, 16 of them the key's MD5 in place of the key.
 *
 * Invariants: open addressing, nothing is ever taken out, and at least one slot stays empty, so that every search ends. Which slot a key is in decides
 * nothing. Source: SkimpyOffsetMap of Apache Kafka.
 */
import { md5 } from './md5.ts';

export const SLOT_BYTES = 24;
const DIGEST_WORDS = 4;

export class OffsetMap {
  readonly slots: number;
  /** Keys in the map. */
  size = 0;
  /** Up to which offset the log is in the map, -1 at first. */
  latestOffset = -1;
  private readonly digests: Int32Array;
  /** One more than the offset; 0 where the slot is empty. */
  private readonly offsets: Float64Array;
  /** Of the key that was looked for last. */
  private digest: Int32Array = new Int32Array(DIGEST_WORDS);

  constructor(slots: number) {
    this.slots = slots;
    this.digests = new Int32Array(slots * DIGEST_WORDS);
    this.offsets = new Float64Array(slots);
  }

  /** Slot of the key, or the empty one where it would go. */
  private slotOf(bytes: Buffer, from: number, to: number): number {
    const digest = md5(bytes, from, to);
    this.digest = digest;
    const { slots, digests, offsets } = this;
    let slot = ((digest[0] as number) >>> 0) % slots;
    for (let attempt = 1; offsets[slot] !== 0; attempt++) {
      const at = slot * DIGEST_WORDS;
      if (
        digests[at] === digest[0] &&
        digests[at + 1] === digest[1] &&
        digests[at + 2] === digest[2] &&
        digests[at + 3] === digest[3]
      ) {
        break;
      }
      slot = attempt < DIGEST_WORDS ? ((digest[attempt] as number) >>> 0) % slots : (slot + 1) % slots;
    }
    return slot;
  }

  /** The key is `bytes[from, to)`. An Error when the map is full. */
  put(bytes: Buffer, from: number, to: number, offset: number): void {
    const slot = this.slotOf(bytes, from, to);
    if (this.offsets[slot] === 0) {
      if (this.size + 1 >= this.slots) throw new Error(`an offset map of ${this.slots} slots is full`);
      this.digests.set(this.digest, slot * DIGEST_WORDS);
      this.size++;
    }
    this.offsets[slot] = offset + 1;
    this.latestOffset = offset;
  }

  /** -1 when the key is not in the map. */
  get(bytes: Buffer, from: number, to: number): number {
    return (this.offsets[this.slotOf(bytes, from, to)] as number) - 1;
  }
}
