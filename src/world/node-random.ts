/** The machine's source of chance. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from './random.ts';

export class NodeRandom implements Random {
  bytes(size: number): Buffer {
    return randomBytes(size);
  }

  below(bound: number): number {
    return randomInt(bound);
  }
}
