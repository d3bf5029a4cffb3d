/** What happens to the machine while the clients work. */
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedWorld } from './simulated-world.ts';

const MINUTE_MS = 60_000;

export interface Fates {
  readonly mayLosePower: boolean;
  readonly mayFailDisk: boolean;
  /** Times that something happens, at most. */
  readonly most: number;
}

const ALL_BUT_DISK: Fates = { mayLosePower: true, mayFailDisk: false, most: 5 };

export async function befall(
  world: SimulatedWorld,
  random: SeededRandom,
  isOver: () => boolean,
  { mayLosePower, mayFailDisk, most }: Fates = ALL_BUT_DISK,
): Promise<void> {
  const times = random.between(1, most);
  for (let i = 0; i < times; i++) {
    await world.scheduler.sleep(random.between(5, random.oneIn(3) ? 1500 : 400), 'fate');
    if (isOver()) return;
    const fate = random.oneIn(2) || !mayLosePower ? 'kill' : 'power cut';
    switch (random.below(mayFailDisk ? 10 : 8)) {
      case 0:
      case 1:
        world.die(fate);
        break;
      case 2:
      case 3:
        world.dieSoon(fate, random.below(60));
        break;
      case 4:
        if (await world.stop()) world.scheduler.at(random.below(200), 'started again', () => world.start());
        break;
      case 5:
        world.cutConnections();
        break;
      case 6:
        world.setClock(random.between(-10 * MINUTE_MS, 30 * MINUTE_MS));
        break;
      case 8:
      case 9:
        world.failDisk(random.below(80), random.pick(['EIO', 'ENOSPC']), random.oneIn(2));
        break;
      default:
        world.stall(random.between(100, 3 * MINUTE_MS));
    }
  }
}
