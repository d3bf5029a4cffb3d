/** A broker in this process over a disk, a network and a clock that the test owns; requests go through its connections. */
import { Broker, type BrokerOptions } from '../../src/broker/broker.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import type { FakeFiles } from '../sim/fake-files.ts';
import { FakeNetwork } from '../sim/fake-network.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { requestFrame, responseIn } from '../support/requests.ts';

export const DATA = '/data';
const PORT = 9092;
/** Turns of the event loop after which what has not ended never will: nothing here waits for the machine. */
const PATIENCE_TURNS = 4000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Hangs extends Error {
  override readonly name = 'Hangs';
}

/** What `work` comes to. Raises Hangs when it comes to nothing. */
export async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let settled = false;
  const mark = (): void => void (settled = true);
  work.then(mark, mark);
  for (let turns = 0; !settled && turns < PATIENCE_TURNS; turns++) await turn();
  if (!settled) throw new Hangs(`${what} hangs`);
  return work;
}

export class SmallWorld {
  readonly clock: VirtualClock;
  readonly network = new FakeNetwork();
  /** What was logged as an error. */
  readonly errors: string[] = [];
  readonly fatal: Error[] = [];
  readonly files: FakeFiles;
  readonly #random: SeededRandom;
  #broker: Broker | undefined;

  constructor(files: FakeFiles, seed: number, nowMs = 1_700_000_000_000) {
    this.clock = new VirtualClock(nowMs);
    this.files = files;
    this.#random = new SeededRandom(seed);
  }

  get broker(): Broker {
    if (this.#broker === undefined) throw new Error('the broker is not running');
    return this.#broker;
  }

  /** `dataDir` may name several, with commas between them. */
  async start(
    settings: Readonly<Record<string, string>>,
    { dataDir = DATA, onTransactionStep }: Pick<BrokerOptions, 'dataDir' | 'onTransactionStep'> = {},
  ): Promise<void> {
    const error = (sentence: string, facts?: Readonly<Record<string, unknown>>): void => {
      const cause = facts?.['error'];
      this.errors.push(cause instanceof Error ? `${sentence}: ${cause.stack}` : sentence);
    };
    const ignore = (): void => undefined;
    const { clock, files, network } = this;
    this.#broker = await within(
      Broker.start({
        port: PORT,
        ...(settings['log.dirs'] === undefined ? { dataDir } : {}),
        settings,
        world: { clock, files, network, random: this.#random },
        log: { error, warn: ignore, info: ignore, debug: ignore },
        onFatal: (reason) => void this.fatal.push(reason),
        onTransactionStep,
      }),
      'the start',
    );
  }

  /** The answer; undefined when the connection is closed instead. */
  async ask<N extends ApiName>(
    name: N,
    version: number,
    draft: ApiTypes[N]['requestDraft'],
  ): Promise<ApiTypes[N]['response'] | undefined> {
    const client = this.network.connect(PORT);
    client.connection.write([requestFrame(name, version, 1, draft)]);
    let bytes: Buffer = Buffer.alloc(0);
    for (let turns = 0; turns < PATIENCE_TURNS; turns++) {
      bytes = Buffer.concat([bytes, client.take()]);
      if (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        client.connection.destroy();
        return responseIn(name, version, bytes.subarray(4, 4 + bytes.readInt32BE(0)));
      }
      if (client.closed) return undefined;
      await turn();
    }
    throw new Hangs(`${name} version ${version} is not answered`);
  }

  async stop(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    if (broker === undefined) return;
    // What a stop waits for at most passes in time of its own.
    const stopped = broker.stop();
    stopped.catch(() => undefined);
    for (let i = 0; i < 10; i++) await turn();
    await this.clock.advance(5000);
    await within(stopped, 'the stop');
  }
}
