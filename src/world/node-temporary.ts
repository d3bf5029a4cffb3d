/** Directories for brokers whose data nobody wants to keep. They are removed at stop, or at the latest when the process ends in an orderly way. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kept = new Set<string>();

/** A path for a new directory; the directory is not made. */
export function temporaryPath(name: string): string {
  const path = join(tmpdir(), name);
  if (kept.size === 0) process.once('exit', removeAll);
  kept.add(path);
  return path;
}

/** The directory is removed already. */
export function forgetTemporary(path: string): void {
  kept.delete(path);
  if (kept.size === 0) process.removeListener('exit', removeAll);
}

function removeAll(): void {
  for (const path of kept) rmSync(path, { recursive: true, force: true });
}
