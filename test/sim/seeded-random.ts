/** Chance that is the same for the same seed: the only source of it in a simulation. */
import type { Random } from '../../src/world/random.ts';

/** The generator sfc32, begun from a seed that is spread over its state. */
export class SeededRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number) {
    this.a = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 0;
    this.b = Math.imul(seed ^ 0x7f4a_7c15, 0xc2b2_ae35) | 0;
    this.c = Math.imul(seed ^ 0x94d0_49bb, 0x27d4_eb2f) | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  private next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return sum >>> 0;
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = this.next();
    return bytes;
  }

  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('nothing to pick from');
    return choice;
  }

  /** Another generator, so that what one actor draws does not change what others draw. */
  fork(): SeededRandom {
    return new SeededRandom(this.next());
  }
}
