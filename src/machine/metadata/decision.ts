/** What the controller's operations share: what they may look at, and what they hand back. They change nothing. */
import type { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { MetadataImage } from './image.ts';

/** The broker's own configs, by Kafka's names, as its properties, environment and command line set them. */
export interface BrokerConfigs {
  int(name: string): number;
  boolean(name: string): boolean;
  string(name: string): string;
  /** Every name that was set, with its value as text. */
  explicit(): ReadonlyMap<string, string>;
}

export interface Surroundings {
  readonly image: MetadataImage;
  readonly brokerConfigs: BrokerConfigs;
  /** This node: controller and broker in one. */
  readonly nodeId: number;
  /** The finalized level of kraft.version, which no metadata record holds. */
  readonly kraftVersion: number;
  readonly nowMs: number;
  /** The offset that the first record of this decision will get. */
  readonly nextOffset: number;
  /** A new random uuid, as 22 characters; never a reserved one. */
  uuid(): string;
  /** A random whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
}

/** `records` are appended all or none, applied, and only then is `reply` given. */
export interface Decision<Reply> {
  readonly records: readonly MetadataRecordDraft[];
  readonly reply: Reply;
  /** The level that kraft.version rises to, before the records. */
  readonly kraftVersion?: number | undefined;
}

export interface ApiError {
  readonly error: ErrorCode;
  /** What the client gets to read; null where Kafka sends none. */
  readonly message: string | null;
}
