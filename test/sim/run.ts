/** Runs a simulated world until those who direct it are done, and looks after every step whether all is well. */
import type { SimulatedWorld } from './simulated-world.ts';
import { Violation } from './violation.ts';

const MAX_STEPS = 200_000;
const MAX_MS = 3_600_000;
const THOROUGH_EVERY_STEPS = 100;

/** Rejects with a Violation that has the seed and the last lines of the trace. */
export async function run(world: SimulatedWorld, directing: Promise<void>): Promise<void> {
  let isOver = false;
  world.start();
  void world.follow(directing).finally(() => {
    isOver = true;
  });
  try {
    while (!isOver && world.failure === undefined) {
      const isMore = await world.scheduler.step();
      world.check();
      if (world.trace.steps % THOROUGH_EVERY_STEPS === 0) world.checkThoroughly();
      if (!isMore && !isOver) throw new Violation('nothing happens any more, and there is still something to do');
      if (world.trace.steps > MAX_STEPS || world.scheduler.nowMs > MAX_MS)
        throw new Violation('the clients do not come to an end');
    }
    if (world.failure !== undefined) throw world.failure instanceof Error ? world.failure : new Error(String(world.failure));
  } catch (error) {
    throw new Violation(
      `SEED=${world.seed} fails: ${error instanceof Error ? (error instanceof Violation ? error.message : error.stack) : String(error)}\n${world.trace.last}`,
      { cause: error },
    );
  }
}
