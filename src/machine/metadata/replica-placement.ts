/**
 * Where the replicas of new partitions go: one after the other over the brokers, from a random start, the first replica on one that may lead now.
 * Racks are not looked at.
 */
import { ErrorCode } from '../../wire/generated/errors.ts';
import { type BrokerImage, isActive } from './broker-image.ts';
import type { ApiError, Surroundings } from './decision.ts';
import { recordVersions } from './record-versions.ts';
import { DIRECTORY_MIGRATING, DIRECTORY_UNASSIGNED } from '../../wire/directory-id.ts';
import type { PartitionImage } from './topic-image.ts';

export type Placement =
  | { readonly ok: true; readonly replicas: readonly (readonly number[])[] }
  | { readonly ok: false; readonly error: ApiError };

/** The replicas of `partitionCount` new partitions, preferred leader first. */
export function placeReplicas(partitionCount: number, replicationFactor: number, around: Surroundings): Placement {
  const usable = [...around.image.brokers.values()].filter((broker) => !broker.inControlledShutdown && !isCordoned(broker));
  const unfenced = usable.filter((broker) => !broker.fenced).map((broker) => broker.id);
  const fenced = usable.filter((broker) => broker.fenced).map((broker) => broker.id);
  const problem = placementProblem(replicationFactor, unfenced.length, usable.length);
  if (problem !== null) return { ok: false, error: { error: ErrorCode.INVALID_REPLICATION_FACTOR, message: problem } };
  const start = unfenced.length === 1 ? 0 : around.below(unfenced.length);
  const replicas: number[][] = [];
  for (let p = 0; p < partitionCount; p++) {
    const turned = (start + p) % unfenced.length;
    const order = [...unfenced.slice(turned), ...unfenced.slice(0, turned), ...fenced];
    replicas.push(order.slice(0, replicationFactor));
  }
  return { ok: true, replicas };
}

function placementProblem(replicationFactor: number, unfenced: number, usable: number): string | null {
  if (replicationFactor <= 0) return `Invalid replication factor ${replicationFactor}: the replication factor must be positive.`;
  if (unfenced === 0) return 'All brokers are currently fenced, or have all their log directories cordoned.';
  if (replicationFactor <= usable) return null;
  return (
    `The target replication factor of ${replicationFactor} cannot be reached because only ${usable} broker(s) are registered ` +
    'or some brokers have all their log directories cordoned.'
  );
}

/** A new partition led by the first replica that may lead; undefined when none may. */
export function newPartition(index: number, replicas: readonly number[], around: Surroundings): PartitionImage | undefined {
  const isr = replicas.filter((broker) => isActive(around.image.brokers.get(broker)));
  const leader = isr[0];
  if (leader === undefined) return undefined;
  return {
    index,
    replicas,
    directories: replicas.map((broker) => directoryFor(broker, around)),
    isr,
    elr: [],
    lastKnownElr: [],
    removingReplicas: [],
    addingReplicas: [],
    leader,
    recovering: false,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
}

/** A broker's only directory that takes new partitions; with several the broker has to choose. */
export function directoryFor(brokerId: number, around: Surroundings): string {
  if (recordVersions(around.image).partitionRecord < 1) return DIRECTORY_MIGRATING;
  const broker = around.image.brokers.get(brokerId);
  const open = broker?.logDirs.filter((directory) => broker.cordonedLogDirs?.includes(directory) !== true) ?? [];
  return open.length === 1 ? (open[0] ?? DIRECTORY_UNASSIGNED) : DIRECTORY_UNASSIGNED;
}

/** Whether none of its directories takes new partitions (KIP-1066). */
export function isCordoned(broker: BrokerImage | undefined): boolean {
  if (broker === undefined) return false;
  const cordoned = broker.cordonedLogDirs ?? [];
  return broker.logDirs.length > 0 && broker.logDirs.every((directory) => cordoned.includes(directory));
}
