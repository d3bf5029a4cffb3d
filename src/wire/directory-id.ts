/** In which log directory of its broker a replica is, as the metadata log has it (KIP-858). Source: DirectoryId of Apache Kafka. */
import { ZERO_UUID } from './uuid.ts';

/** The directory of a replica on a broker that has not said where it is: as of before directories were recorded. */
export const DIRECTORY_MIGRATING = ZERO_UUID;

/** The directory of a replica whose broker has yet to choose one: the reserved uuid 1. */
export const DIRECTORY_UNASSIGNED = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** The directory of a replica whose broker has lost it: the reserved uuid 2. */
export const DIRECTORY_LOST = 'AAAAAAAAAAAAAAAAAAAAAg';

/** Names a directory that there is or was, and not merely what is known of it. */
export function isAssigned(directory: string): boolean {
  return directory !== DIRECTORY_MIGRATING && directory !== DIRECTORY_UNASSIGNED && directory !== DIRECTORY_LOST;
}

/** Whether a replica in `directory` can be served by a broker that has registered with `online`; a broker that has named none may have it. */
export function isDirectoryOnline(directory: string, online: readonly string[]): boolean {
  if (directory === DIRECTORY_MIGRATING || directory === DIRECTORY_UNASSIGNED) return true;
  return directory !== DIRECTORY_LOST && (online.length === 0 || online.includes(directory));
}

/** The directory of the broker's replica; unassigned when it has none. */
export function directoryOf(
  partition: { readonly replicas: readonly number[]; readonly directories: readonly string[] },
  brokerId: number,
): string {
  return partition.directories[partition.replicas.indexOf(brokerId)] ?? DIRECTORY_UNASSIGNED;
}
