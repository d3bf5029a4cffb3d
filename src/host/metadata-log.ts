/**
 * Embedded mode: this node is the only voter of `__cluster_metadata-0`, controller and broker in one. (Surface first; the body follows.)
 */
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import type { ListenerEndpoint } from '../machine/metadata/broker-image.ts';
import type { ControllerOperation, ControllerOperations } from '../machine/metadata/controller.ts';
import type { BrokerConfigs } from '../machine/metadata/decision.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { MetadataChange } from '../machine/metadata/metadata-change.ts';
import type { Clock } from '../world/clock.ts';
import type { Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';

export interface MetadataLogOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** Opened, its logs not yet. The first of `log.dirs`, or `metadata.log.dir`. */
  readonly directory: LogDirectory;
  /** Directory ids of all log directories, the metadata one included. */
  readonly logDirIds: readonly string[];
  readonly nodeId: number;
  /** Where a controller of this quorum would listen: what Apache Kafka needs to find in the Voters record to open the directory. */
  readonly controllerEndpoint: { readonly name: string; readonly host: string; readonly port: number };
  /** The advertised listeners of this broker. */
  readonly endpoints: readonly ListenerEndpoint[];
  readonly rack: string | null;
  readonly brokerConfigs: BrokerConfigs;
  /** Once, when the disk failed: every submit rejects from then on. */
  readonly onFailure?: (failure: StorageFailure) => void;
}

export declare class MetadataLog {
  private constructor();
  /** Formats an empty directory; replays; raises the epoch; registers and unfences this broker. All of it is synced when the promise resolves. */
  static open(o: MetadataLogOptions): Promise<MetadataLog>;

  readonly image: MetadataImage;
  readonly nodeId: number;
  readonly log: Log;
  /** Epoch of this broker's registration; goes into .kafka_cleanshutdown at the end. */
  readonly brokerEpoch: number;
  /** Of the quorum; rises with every start. */
  readonly leaderEpoch: number;
  /** The finalized level of kraft.version: 1 for a dynamic quorum. */
  readonly kraftVersion: number;

  /** Decides, appends one batch, syncs, applies, publishes, and only then resolves. Rejects with StorageFailure alone. */
  submit<K extends ControllerOperation>(
    operation: K,
    request: ControllerOperations[K]['request'],
  ): Promise<ControllerOperations[K]['reply']>;
  /** Runs after the image has changed and before any reply that depends on it. May return a promise, which replies wait for. */
  onChange(listener: (changes: readonly MetadataChange[]) => void | Promise<void>): void;
  /** Fences this broker, syncs, closes the log. The directory is stopped after this, with `brokerEpoch`. */
  stop(): Promise<void>;
}
