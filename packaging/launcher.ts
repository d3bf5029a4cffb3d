/**
 * What `bin` points at: runs a bundled command out of what V8 compiled when it was built, because compiling takes longer than all else in a start.
 *
 * The compiled code is taken only with the very source that it was made of (V8 itself compares no more than lengths) and by the V8 that made it; in any
 * other case the source is compiled as usual. The format is that of CommonJS: its loader is there already when Node.js starts, and its `require` is
 * handed on because all files are in one folder.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** Hexadecimal SHA-256: the end of the source, and the beginning of what was compiled of it. */
export const MARK_LENGTH = 64;

/** A source is a function of these two. */
type Run = (require: NodeJS.Require, filename: string) => void;

/** The bundles with commands: `start` has that one alone, `command` has all. */
export type BundleName = 'start' | 'command';

export const bundleOf = (argv: readonly string[]): BundleName => (argv[2] === 'start' ? 'start' : 'command');

/** Runs `<name>.cjs` of `folder` by way of `<name>.cache`; it takes its arguments from `process.argv`. */
export function runCompiled(folder: string, name: BundleName, require: NodeJS.Require): Script {
  const filename = join(folder, `${name}.cjs`);
  const source = readFileSync(filename, 'latin1');
  const cachedData = compiledOf(join(folder, `${name}.cache`), source.slice(-MARK_LENGTH));
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  (script.runInThisContext() as Run)(require, filename);
  return script;
}

function compiledOf(path: string, mark: string): Buffer | undefined {
  try {
    const found = readFileSync(path);
    return found.toString('latin1', 0, MARK_LENGTH) === mark ? found.subarray(MARK_LENGTH) : undefined;
  } catch {
    return undefined;
  }
}
