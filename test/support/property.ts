/** Random tests: `SEED` in the environment replays one; a failing one prints its seed. */
import * as fc from 'fast-check';

/** The seed of this run of the tests. */
export const SEED = process.env['SEED'] === undefined ? (Date.now() ^ (process.pid << 16)) | 0 : Number(process.env['SEED']);

/** Checks a property over `runs` random inputs; the error of a failing one names seed and path. */
export function checked<T>(property: fc.IProperty<T>, runs: number): void {
  fc.assert(property, { seed: SEED, numRuns: runs });
}

/** Numbers in [0, 1), the same ones for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
