/** The machine itself. */
import { NodeClock } from './node-clock.ts';
import { NodeFiles } from './node-files.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeRandom } from './node-random.ts';
import type { World } from './world.ts';

/** Parts given take the place of the machine's. */
export function nodeWorld(parts: Partial<World> = {}): World {
  return {
    clock: parts.clock ?? new NodeClock(),
    files: parts.files ?? new NodeFiles(),
    network: parts.network ?? new NodeNetwork(),
    random: parts.random ?? new NodeRandom(),
  };
}
