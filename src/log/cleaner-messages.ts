/** What a log's cleaner and the thread that does its work tell each other. All of it can be copied from one thread to another. */
import type { AbortedTransaction } from './transaction-index.ts';

/** The dirty part of a log: what the map of latest offsets is made of. */
export interface MappingJob {
  readonly directory: string;
  readonly segments: readonly {
    readonly baseOffset: number;
    readonly size: number;
    /** Of a batch at or below the first dirty offset. */
    readonly position: number;
    /** Up to where the segment goes, whatever is in it. */
    readonly endOffset: number;
  }[];
  readonly firstDirtyOffset: number;
  readonly endOffset: number;
  /** Of the dirty part. */
  readonly aborted: readonly AbortedTransaction[];
  /** Keys that the map may take; with more of them only the beginning of the dirty part is cleaned. */
  readonly maxKeys: number;
  /** Keys to slots of the map. */
  readonly loadFactor: number;
  /** Bytes of one read. */
  readonly readBytes: number;
  readonly maxRecordBytes: number;
}

export interface Mapped {
  /** Up to which offset the log is in the map. */
  readonly latestOffset: number;
  readonly keys: number;
  readonly bytesRead: number;
}

/** Segments that become one. */
export interface CleaningJob {
  readonly directory: string;
  readonly segments: readonly {
    readonly baseOffset: number;
    readonly size: number;
    /** Whose batches are in the segment. */
    readonly aborted: readonly AbortedTransaction[];
    /** Whether tombstones in message sets of magic 0 and 1, which have no delete horizon, are kept. */
    readonly retainsLegacyTombstones: boolean;
  }[];
  /** What the cleaned segment's file says of when it was written. */
  readonly modifiedMs: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly indexIntervalBytes: number;
  /** The batch that ends there is kept, even without records. */
  readonly highWatermark: number;
  /** Of each producer that the log knows: where its last data is (-1: only markers are known), and its epoch. */
  readonly producers: readonly (readonly [producerId: number, lastDataOffset: number, producerEpoch: number])[];
  readonly readBytes: number;
  readonly maxRecordBytes: number;
}

export interface Cleaned {
  readonly baseOffset: number;
  /** Of the log file. */
  readonly size: number;
  readonly bytesRead: number;
  readonly recordsRead: number;
  readonly recordsKept: number;
  /** Records without a key, which a compacted log should not have. */
  readonly keyless: number;
}

export type CleanerRequest =
  | { readonly kind: 'map'; readonly job: MappingJob }
  | { readonly kind: 'clean'; readonly job: CleaningJob }
  /** One report of work has been taken note of. */
  | { readonly kind: 'goOn' }
  | { readonly kind: 'abort' };

export type CleanerReport =
  | { readonly kind: 'mapped'; readonly result: Mapped }
  | { readonly kind: 'cleaned'; readonly result: Cleaned }
  /** Bytes read or written since the last report. */
  | { readonly kind: 'worked'; readonly bytes: number }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly message: string; readonly storage?: { readonly path: string; readonly code: string } };

/** Reports of work that may be under way before the thread waits. */
export const UNANSWERED_REPORTS = 8;
