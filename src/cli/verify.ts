/** `blumfeld verify DIR [--json]`: reads a data directory that is not in use, changes nothing, and says what is wrong with it, by file and byte. */
import { resolve } from 'node:path';
import type { Files } from '../world/files.ts';
import { NodeFiles } from '../world/node-files.ts';
import { type Finding, Findings } from './findings.ts';
import { onePath } from './one-path.ts';
import { verifyDirectory } from './verify-directory.ts';
import { LOCK_FILE } from '../log/log-directory.ts';

/** Everything that is to be said of the directory. Rejects with an Error, in one sentence, when it is none or is in use. */
export async function verifiedDirectory(files: Files, path: string): Promise<Findings> {
  if (files.stat(path)?.directory !== true) throw new Error(`${path} is no directory; name a data directory`);
  await refuseInUse(files, path);
  const findings = new Findings(path);
  verifyDirectory(files, path, findings);
  return findings;
}

/** A broker makes the file where there is none; without it nobody is there, and it is not to be made here. */
async function refuseInUse(files: Files, path: string): Promise<void> {
  if (files.stat(`${path}/${LOCK_FILE}`) === undefined) return;
  const unlock = await files.lock(`${path}/${LOCK_FILE}`);
  if (unlock === undefined) throw new Error(`${path} is in use by a broker (${LOCK_FILE} is locked); stop it first`);
  unlock();
}

const textOf = ({ path, position, what, isHarmless }: Finding): string =>
  `${isHarmless ? 'note ' : 'wrong'} ${path}${position === undefined ? '' : ` at byte ${position}`}: ${what}`;

/** The exit code: 0 when nothing is wrong. */
export async function verify(args: readonly string[]): Promise<number> {
  try {
    const { path, json } = onePath(args, 'blumfeld verify DIR [--json] takes one data directory');
    const findings = await verifiedDirectory(new NodeFiles(), resolve(path));
    const lines = findings.all.map((finding) => (json ? JSON.stringify(finding) : textOf(finding)));
    if (!json) lines.push(`${findings.fileCount} files looked at, ${findings.wrongCount} things wrong`);
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return findings.wrongCount === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
