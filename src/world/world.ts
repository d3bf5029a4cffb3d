import type { Clock } from './clock.ts';
import type { Files } from './files.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Threads } from './threads.ts';

/** All that the broker may touch of the machine. Implementations are constructed only in broker/ and cli/, and in tests. */
export interface World {
  readonly clock: Clock;
  readonly files: Files;
  readonly network: Network;
  readonly random: Random;
  /** For what takes long: the compaction of logs. */
  readonly threads: Threads;
}
