/** One client of a simulation: a name, its own chance, and a connection that it opens again when it is gone. */
import { Disconnected, Link } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedWorld } from './simulated-world.ts';

export class Actor {
  readonly world: SimulatedWorld;
  readonly name: string;
  readonly random: SeededRandom;
  private current: Link | undefined;

  constructor(world: SimulatedWorld, name: string) {
    this.world = world;
    this.name = name;
    this.random = world.random.fork();
  }

  /** The open connection, or a new one, as soon as there is one to be had. */
  async link(): Promise<Link> {
    for (;;) {
      if (this.current?.isOpen === true) return this.current;
      try {
        this.current = new Link(this.world, this.name, this.random);
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error;
        await this.world.scheduler.sleep(this.random.between(5, 60));
      }
    }
  }

  /** Undefined when the connection went before the answer came. */
  async unlessDisconnected<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Disconnected) return undefined;
      throw error;
    }
  }

  async rest(): Promise<void> {
    if (this.random.oneIn(2)) await this.world.scheduler.sleep(this.random.below(this.random.oneIn(5) ? 400 : 30));
  }

  close(): void {
    this.current?.close();
  }
}
