/**
 * What a request handler may ask for. Handlers import this file and wire, nothing else of the house: whatever a handler needs from another room
 * stands here, and the composition root in broker/ puts it together.
 */
import type { GroupCoordinator } from '../host/group-coordinator.ts';
import type { TransactionCoordinator } from '../host/transaction-coordinator.ts';
import type { TransactionMarkers } from '../host/transaction-markers.ts';
import type { TransactionVerifier } from '../host/transaction-verifier.ts';
import type { MetadataLog } from '../host/metadata-log.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { FetchSessions } from '../partition/fetch-sessions.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { ApiName, ApiTypes } from '../wire/generated/apis.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';

export type { ProducerIdentity, TransactionClaim } from '../host/transaction-coordinator.ts';
export type { Verified, VerificationSupport } from '../host/transaction-verifier.ts';
export type { TopicPartitions } from '../machine/transaction/transaction.ts';
export type { ReadBound } from '../log/log-contract.ts';
export type { FetchContext, FetchedData, FetchedPartition } from '../partition/fetch-sessions.ts';
export type { LookedUp } from '../partition/offset-lookup.ts';
export type { Partition } from '../partition/partition.ts';
export type { Found } from '../partition/partition-read.ts';

/** One client connection, as a handler sees it. */
export interface ConnectionInfo {
  readonly id: number;
  readonly listenerName: string;
  /** The address and port by which the client reached this broker. */
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Set once the connection is gone: what is parked for it may be dropped. */
  readonly closed: boolean;
  /** Runs when the connection is gone; at once when it already is. What it returns takes `run` back: a request that is answered leaves nothing behind. */
  onClosed(run: () => void): () => void;
  /** As ApiVersions v3 and up told it (KIP-511). */
  clientSoftwareName: string;
  clientSoftwareVersion: string;
}

/** Where a broker is reached by the client that asks. */
export interface Endpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** The broker's configs, by Kafka's names. Asking for a name that is not a broker config, or for a wrong type, throws. */
export interface SettingsView {
  int(name: string): number;
  /** Values beyond 2^53 come as Number.MAX_SAFE_INTEGER or its negative. */
  long(name: string): number;
  double(name: string): number;
  boolean(name: string): boolean;
  string(name: string): string;
  /** Null when the config has no value. */
  optional(name: string): string | null;
  list(name: string): readonly string[];
  /** Every name that the properties, the environment or the command line have set, with its value as text. */
  explicit(): ReadonlyMap<string, string>;
}

/** What the whole broker offers to its handlers. */
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: SettingsView;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly image: MetadataImage;
  readonly controller: MetadataLog;
  /** What this broker does, by feature name (KIP-584). */
  readonly supportedFeatures: ReadonlyMap<string, { readonly min: number; readonly max: number }>;
  /** What the cluster has agreed on and this broker does. */
  finalizedFeatures(): readonly { readonly name: string; readonly level: number }[];
  readonly partitions: Partitions;
  readonly logDirectories: readonly LogDirectory[];
  readonly fetchSessions: FetchSessions;
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  readonly transactionVerifier: TransactionVerifier;
  readonly transactionMarkers: TransactionMarkers;
  /** The next producer id that no one has had (KIP-98), from blocks through the metadata log. */
  nextProducerId(): Promise<number>;
  /** Undefined when the broker is not known or has no listener of the connection's name. */
  endpointOf(nodeId: number, connection: ConnectionInfo): Endpoint | undefined;
  /** ApiVersions' answer, computed from the handler table; `supported` ones only. */
  advertisedApis(): readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[];
}

export interface Context extends Services {
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly connection: ConnectionInfo;
  readonly principal: { readonly type: string; readonly name: string };
}

/** Returned by a handler whose request wants no answer (Produce with acks=0). */
export const NO_REPLY: unique symbol = Symbol('no reply');

export type Reply<N extends ApiName> = ApiTypes[N]['responseDraft'] | typeof NO_REPLY;

/** A promise is returned only when the answer has to wait. */
export type Handler<N extends ApiName> = (request: ApiTypes[N]['request'], context: Context) => Reply<N> | Promise<Reply<N>>;
