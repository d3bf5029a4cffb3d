/** A fetch of some partitions under common limits: answered with what there is, or parked until there is enough. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import type { Deadlines } from './deadlines.ts';
import type { FetchedData, FetchedPartition } from './fetch-sessions.ts';
import { type Closable, parkFetch } from './parked-fetch.ts';
import { type Found, type Reader, readPartitions } from './partition-read.ts';

export interface FetchOptions {
  /** In the order in which they may use up the limits. */
  readonly partitions: readonly FetchedPartition[];
  /** Where a partition is now; asked again after waiting. */
  find(partition: FetchedPartition): Found;
  /** Below 0: a consumer. */
  readonly replicaId: number;
  readonly readCommitted: boolean;
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  /** When it is gone, so is what is parked for it, and its promise never settles. */
  readonly connection: Closable;
}

type Results = readonly FetchedData[];

/** A promise only when records come from a file or have to be waited for. */
export function fetchPartitions(options: FetchOptions, clock: Clock, deadlines: Deadlines): Results | Promise<Results> {
  const { connection, find, maxBytes, maxWaitMs, minBytes, partitions } = options;
  const reader = readerOf(options);
  const read = (): Results | Promise<Results> => readPartitions(partitions, find, reader, maxBytes);
  const wait = (results: Results, stale: boolean): Promise<Results> =>
    new Promise((resolve) => {
      parkFetch({ clock, deadlines, connection, results, stale, find, reader, minBytes, maxWaitMs, done: () => resolve(read()) });
    });
  const results = read();
  if (results instanceof Promise) return results.then((later) => (isEnough(later, options) ? later : wait(later, true)));
  return isEnough(results, options) ? results : wait(results, false);
}

function readerOf({ readCommitted, replicaId }: FetchOptions): Reader {
  if (replicaId >= 0) return { replicaId, upTo: 'logEnd' };
  return { replicaId, upTo: readCommitted ? 'lastStable' : 'highWatermark' };
}

function isEnough(results: Results, { maxWaitMs, minBytes }: FetchOptions): boolean {
  if (maxWaitMs <= 0) return true;
  let bytes = 0;
  for (const { data, sizeInBytes } of results) {
    if (data.errorCode !== ErrorCode.NONE || data.divergingEpoch !== undefined) return true;
    bytes += sizeInBytes;
  }
  return bytes >= minBytes;
}
