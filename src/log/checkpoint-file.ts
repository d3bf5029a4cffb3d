/**
 * Kafka's checkpoint files: a version, how many lines follow, the lines. Always replaced atomically.
 *
 * Source: CheckpointFile, OffsetCheckpointFile and LeaderEpochCheckpointFile of Apache Kafka.
 */
import type { Files } from '../world/files.ts';

const VERSION = '0';

/** The fields of each line; undefined when there is no file, it is empty or it is damaged. */
export function readCheckpoint(files: Files, path: string): string[][] | undefined {
  if (files.stat(path) === undefined) return undefined;
  const lines = files.readFile(path).toString('utf8').split('\n');
  const [version, count] = lines;
  if (version?.trim() !== VERSION || count === undefined) return undefined;
  const entries = lines.slice(2).filter((line) => line.trim() !== '');
  return entries.length === Number(count) ? entries.map((line) => line.trim().split(/\s+/)) : undefined;
}

export function formatCheckpoint(lines: readonly string[]): string {
  return [VERSION, String(lines.length), ...lines].join('\n') + '\n';
}

/** Offsets by `topic-partition`. Lines that make no sense are left out: what they would say is only an optimisation. */
export function readOffsetCheckpoint(files: Files, path: string): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const [topic, partition, offset] of readCheckpoint(files, path) ?? []) {
    const value = Number(offset);
    if (partition !== undefined && Number.isSafeInteger(value)) offsets.set(`${topic}-${partition}`, value);
  }
  return offsets;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export const formatOffsetCheckpoint = (offsets: readonly PartitionOffset[]): string =>
  formatCheckpoint(offsets.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`));
