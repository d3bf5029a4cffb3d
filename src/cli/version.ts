/** The version of this package, as its package.json says. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeFiles } from '../world/node-files.ts';

export function version(): string {
  const files = new NodeFiles();
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (files.stat(path) === undefined) continue;
    const found = JSON.parse(files.readFile(path).toString()) as { name?: string; version?: string };
    if (found.name === 'blumfeld' && found.version !== undefined) return found.version;
  }
  return 'unknown';
}
