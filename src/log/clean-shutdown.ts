/**
 * `.kafka_cleanshutdown`: a data directory was stopped cleanly, and by which epoch of the broker (KIP-966).
 *
 * Source: CleanShutdownFileHandler of Apache Kafka.
 */
import type { Files } from '../world/files.ts';

export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';

/** The broker epoch of the last clean stop, -1 where the file does not say; undefined when the stop was not clean. The file is gone afterwards. */
export async function takeCleanShutdown(files: Files, directory: string): Promise<number | undefined> {
  const path = `${directory}/${CLEAN_SHUTDOWN_FILE}`;
  if (files.stat(path) === undefined) return undefined;
  const epoch = /"brokerEpoch"\s*:\s*(-?\d+)/.exec(files.readFile(path).toString('utf8'))?.[1];
  files.remove(path);
  // If the note came back after a power cut, torn logs would be taken for clean ones.
  await files.syncDirectory(directory);
  return epoch === undefined ? -1 : Number(epoch);
}

export function writeCleanShutdown(files: Files, directory: string, brokerEpoch: number): Promise<void> {
  return files.replaceFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`, JSON.stringify({ version: 0, brokerEpoch }));
}
