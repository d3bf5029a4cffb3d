/** Where one run of a suite keeps its files; gone at its end, unless the environment's KEEP is set. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `blumfeld-${name}-`));

export function removeFolder(folder: string): void {
  if (process.env['KEEP'] === undefined) rmSync(folder, { recursive: true, force: true });
  else console.log(`kept ${folder}`);
}
