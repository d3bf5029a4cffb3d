/** Chance: ids, jitter. A simulation replays it from one seed. */
export interface Random {
  bytes(size: number): Buffer;
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
}
