/** A whole data directory: whose it is, the metadata, every partition, and whether the checkpoint files are about what is there. */
import { readCheckpoint } from '../log/checkpoint-file.ts';
import { META_PROPERTIES_FILE, readMetaProperties } from '../log/meta-properties.ts';
import { METADATA_DIRECTORY } from '../log/metadata-topic.ts';
import { parseDirectoryName } from '../log/partition-directory-name.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Files } from '../world/files.ts';
import type { Findings } from './findings.ts';
import { verifyMetadata } from './verify-metadata.ts';
import { type VerifiedPartition, verifyPartition, verifyPartitionMetadata } from './verify-partition.ts';
import { CLEANER_FILE, HIGH_WATERMARK_FILE, LOG_START_FILE, RECOVERY_POINT_FILE } from '../log/checkpoints.ts';
import { OLDER_BOOTSTRAP_FILE } from '../host/metadata-bootstrap.ts';
import { CLEAN_SHUTDOWN_FILE } from '../log/clean-shutdown.ts';
import { LOCK_FILE } from '../log/log-directory.ts';

/** What each checkpoint file says of a log, and where that has to lie. */
const CHECKPOINTS: Readonly<Record<string, string>> = {
  [RECOVERY_POINT_FILE]: 'recovery point',
  [HIGH_WATERMARK_FILE]: 'high watermark',
  [LOG_START_FILE]: 'log start',
  [CLEANER_FILE]: 'first dirty offset',
};
const KNOWN = new Set([...Object.keys(CHECKPOINTS), META_PROPERTIES_FILE, CLEAN_SHUTDOWN_FILE, LOCK_FILE, OLDER_BOOTSTRAP_FILE]);

export function verifyDirectory(files: Files, path: string, findings: Findings): void {
  const isClean = verifyCleanShutdown(files, path, findings);
  verifyMetaProperties(files, path, findings);
  const entries = files.list(path).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hasMetadata = entries.some(({ name, directory }) => directory && name === METADATA_DIRECTORY);
  const image = hasMetadata ? verifyMetadata(files, `${path}/${METADATA_DIRECTORY}`, isClean, findings) : undefined;
  if (!hasMetadata) findings.note(path, `no ${METADATA_DIRECTORY}: whether its topics still exist is not looked at`);
  const partitions = new Map<string, VerifiedPartition>();
  for (const { name, directory } of entries) {
    if (name === METADATA_DIRECTORY) continue;
    if (!directory) verifyName(`${path}/${name}`, name, findings);
    else verifyFolder(files, `${path}/${name}`, name, { isClean, image, partitions }, findings);
  }
  for (const [name, what] of Object.entries(CHECKPOINTS))
    verifyCheckpoint(files, `${path}/${name}`, what, partitions, isClean, findings);
}

function verifyCleanShutdown(files: Files, path: string, findings: Findings): boolean {
  const file = `${path}/${CLEAN_SHUTDOWN_FILE}`;
  if (files.stat(file) === undefined) {
    findings.note(path, `no ${CLEAN_SHUTDOWN_FILE}: it was not stopped cleanly, and the next start reads the logs`);
    return false;
  }
  if (!/"brokerEpoch"\s*:\s*-?\d+/.test(files.readFile(file).toString('utf8')))
    findings.wrong(file, 'it does not name a broker epoch');
  return true;
}

function verifyMetaProperties(files: Files, path: string, findings: Findings): void {
  const file = `${path}/${META_PROPERTIES_FILE}`;
  try {
    if (readMetaProperties(files, path) === undefined) findings.wrong(file, 'missing: it says whose data this is');
  } catch (error) {
    findings.wrong(file, error instanceof Error ? error.message : String(error));
  }
}

function verifyName(path: string, name: string, findings: Findings): void {
  findings.fileCount++;
  if (KNOWN.has(name)) return;
  if (name.endsWith('.tmp')) findings.note(path, 'left of a change that was not finished');
  else findings.note(path, 'a file that does not belong here; it does no harm');
}

interface Around {
  readonly isClean: boolean;
  readonly image: MetadataImage | undefined;
  readonly partitions: Map<string, VerifiedPartition>;
}

function verifyFolder(
  files: Files,
  path: string,
  name: string,
  { isClean, image, partitions }: Around,
  findings: Findings,
): void {
  if (name === 'remote-log-index-cache') return;
  const parsed = parseDirectoryName(name);
  if (parsed === undefined)
    return findings.wrong(path, 'a directory that is no partition: no broker starts on it, Apache Kafka neither');
  if (parsed.state === 'delete') return findings.note(path, 'a deleted partition: the next start removes it');
  if (parsed.state === 'stray') return findings.note(path, 'set aside by an earlier start, because its topic did not exist');
  const { topic, partition } = parsed;
  const verified = verifyPartition(files, { path, isClean, isMetadata: false }, findings);
  // The checkpoints speak of a copy that is being made here as of the partition.
  const key = `${topic} ${partition}`;
  if (parsed.state === 'live' || !partitions.has(key)) partitions.set(key, verified);
  const topicId = verifyPartitionMetadata(files, path, findings);
  if (image === undefined || topicId === undefined) return;
  const known = image.topicsById.get(topicId);
  if (known?.name === topic && known.partitions.has(partition)) return;
  const what =
    known === undefined
      ? `topic id ${topicId} is not in the metadata`
      : `topic id ${topicId} is that of ${known.name}, with ${known.partitions.size} partitions`;
  findings.wrong(path, `${what}: the next start sets the directory aside as stray`);
}

function verifyCheckpoint(
  files: Files,
  path: string,
  what: string,
  partitions: ReadonlyMap<string, VerifiedPartition>,
  isClean: boolean,
  findings: Findings,
): void {
  if (files.stat(path) === undefined) return findings.note(path, 'missing: it is written anew');
  const lines = readCheckpoint(files, path);
  if (lines === undefined) return findings.wrong(path, 'no version 0, or not as many lines as it says');
  for (const [index, [topic, number, text]] of lines.entries()) {
    const line = `line ${index + 3}`;
    const offset = Number(text);
    const log = partitions.get(`${topic} ${number}`);
    if (text === undefined || !Number.isSafeInteger(offset) || offset < 0)
      findings.wrong(path, `${line} is no topic, partition and offset`);
    else if (log === undefined) {
      const gone = `${line} is about ${topic}-${number}, which is not there`;
      if (isClean) findings.wrong(path, gone);
      else findings.note(path, gone);
    } else if (offset > log.endOffset)
      findings.wrong(
        path,
        `${line}: the ${what} of ${topic}-${number} is ${offset}, beyond the end of its log, ${log.endOffset}`,
      );
  }
}
