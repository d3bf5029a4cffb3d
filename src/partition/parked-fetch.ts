/**
 * A fetch that waits for more bytes. It sits at each of its partitions, is woken by them alone, and looks again once per turn of the event loop
 * however many of them woke it, so that one answer carries what one turn has written.
 *
 * Invariants: it ends exactly once (enough bytes, an error or divergence to tell, its time is over, or its connection is gone), and after that
 * sits nowhere.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { FetchedData, FetchedPartition } from './fetch-sessions.ts';
import { Partition } from './partition.ts';
import { type Found, type Reader, readPartition, readableEnd } from './partition-read.ts';

/** A connection, as far as parking goes. */
export interface Closable {
  readonly closed: boolean;
  onClosed(run: () => void): unknown;
}

export interface ParkOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly connection: Closable;
  /** What the fetch has got so far, which was too little. */
  readonly results: readonly FetchedData[];
  /** Time has passed since `results` were read: look again before waiting. */
  readonly stale: boolean;
  find(partition: FetchedPartition): Found;
  readonly reader: Reader;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  /** Time to read and answer. Not called when the connection is gone. */
  done(): void;
}

/** What is parked for each connection, so that a connection is listened to once and not for each of its fetches. */
const parkedFor = new WeakMap<Closable, Set<ParkedFetch>>();

export function parkFetch(options: ParkOptions): void {
  if (options.connection.closed) return;
  new ParkedFetch(options).start();
}

class ParkedFetch {
  readonly #options: ParkOptions;
  /** By the partition that wakes: what is wanted of it, and how many bytes it had when last looked at. */
  readonly #places = new Map<Partition, { readonly wanted: FetchedPartition; bytes: number }>();
  readonly #woken = new Set<Partition>();
  #deadline: Deadline | undefined;
  #ended = false;

  constructor(options: ParkOptions) {
    this.#options = options;
  }

  start(): void {
    const { connection, deadlines, maxWaitMs, results, stale } = this.#options;
    this.#deadline = deadlines.after(maxWaitMs, () => this.#end(true));
    keepFor(connection, this);
    for (const { partition: wanted, sizeInBytes } of results) {
      const found = this.#options.find(wanted);
      if (!(found instanceof Partition)) return this.#end(true);
      this.#places.set(found, { wanted, bytes: sizeInBytes });
      found.park(this);
    }
    if (stale) for (const partition of this.#places.keys()) this.wake(partition);
  }

  wake(partition: Partition): void {
    if (this.#ended) return;
    if (this.#woken.size === 0) this.#options.clock.endOfTurn(() => this.#look());
    this.#woken.add(partition);
  }

  drop(): void {
    this.#end(false);
  }

  #look(): void {
    if (this.#ended) return;
    for (const partition of this.#woken) {
      const place = this.#places.get(partition);
      if (place === undefined) continue;
      const bytes = this.#bytesAt(place.wanted, partition);
      if (bytes === undefined) return this.#end(true);
      place.bytes = bytes;
    }
    this.#woken.clear();
    let bytes = 0;
    for (const place of this.#places.values()) bytes += place.bytes;
    if (bytes >= this.#options.minBytes) this.#end(true);
  }

  /** Bytes to be had of one partition; undefined when there is something to tell at once. */
  #bytesAt(wanted: FetchedPartition, partition: Partition): number | undefined {
    const { reader, minBytes } = this.#options;
    const ready = partition.failure === ErrorCode.NONE && wanted.fetchOffset < readableEnd(partition, reader);
    if (ready && minBytes <= 1) return 1;
    const read = readPartition(wanted, partition, reader, { maxBytes: wanted.maxBytes, minOneBatch: ready });
    // No longer in memory: there is a lot of it.
    if (read instanceof Promise) {
      read.catch(() => {});
      return undefined;
    }
    if (read.data.errorCode !== ErrorCode.NONE || read.data.divergingEpoch !== undefined) return undefined;
    return read.sizeInBytes;
  }

  #end(answer: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline?.cancel();
    for (const partition of this.#places.keys()) partition.unpark(this);
    parkedFor.get(this.#options.connection)?.delete(this);
    if (answer) this.#options.done();
  }
}

function keepFor(connection: Closable, parked: ParkedFetch): void {
  const known = parkedFor.get(connection);
  if (known !== undefined) {
    known.add(parked);
    return;
  }
  const all = new Set([parked]);
  parkedFor.set(connection, all);
  connection.onClosed(() => {
    for (const each of all) each.drop();
  });
}
