/** Names of partitions' directories. Source: LocalLog.parseTopicPartitionName and its neighbours in Apache Kafka. */
import type { Random } from '../world/random.ts';

/** 'delete': on its way out. 'future': a copy being moved here from another directory. 'stray': of no topic that is known. */
export type DirectoryState = 'live' | 'delete' | 'future' | 'stray';

export interface PartitionDirectory {
  readonly topic: string;
  readonly partition: number;
  readonly state: DirectoryState;
}

const LONGEST_NAME = 255;

/** Undefined when the name is not a partition's. */
export function parseDirectoryName(name: string): PartitionDirectory | undefined {
  const [, topic, partition, state] = /^(.+)-(\d+)(?:\.[0-9a-f]{32}-(delete|future|stray))?$/.exec(name) ?? [];
  if (topic === undefined || partition === undefined) return undefined;
  return { topic, partition: Number(partition), state: (state as DirectoryState | undefined) ?? 'live' };
}

/** Of a partition's log; the checkpoint files know it by the same name. */
export const directoryName = (topic: string, partition: number): string => `${topic}-${partition}`;

/** A name that is not yet taken, for a copy that is being moved here. Raises no error for one that is too long: see `futureNameFits`. */
export function futureName(topic: string, partition: number, random: Random): string {
  return `${topic}-${partition}.${random.bytes(16).toString('hex')}-future`;
}

/** Whether a copy of the partition can have a name: that of a future log is not cut, since its topic is read from it. */
export function futureNameFits(topic: string, partition: number): boolean {
  return `${topic}-${partition}.${'0'.repeat(32)}-future`.length <= LONGEST_NAME;
}

/** A name that is not yet taken, for a partition that is given up; a long topic name is cut. */
export function retiredName(topic: string, partition: number, state: 'delete' | 'stray', random: Random): string {
  const suffix = `-${partition}.${random.bytes(16).toString('hex')}-${state}`;
  return topic.slice(0, LONGEST_NAME - suffix.length) + suffix;
}
