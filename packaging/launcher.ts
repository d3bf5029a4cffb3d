/**
 * What `bin` points at: runs the bundled command out of what V8 compiled when it was built, because compiling takes longer than all else in a start.
 *
 * The compiled code is taken only with the very source that it was made of (V8 itself compares no more than lengths) and by the V8 that made it; in any
 * other case the source is compiled as usual. The format is that of CommonJS: its loader is there already when Node.js starts.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** Hexadecimal SHA-256: the end of the source, and the beginning of what was compiled of it. */
export const MARK_LENGTH = 64;

/** Runs `command.cjs` of `folder`; it takes its arguments from `process.argv`. */
export function launch(folder: string): Script {
  const filename = join(folder, 'command.cjs');
  const source = readFileSync(filename, 'latin1');
  const cachedData = compiledOf(folder, source.slice(-MARK_LENGTH));
  const script = new Script(`(function (require, __filename) {${source}\n})`, {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const run = script.runInThisContext() as (require: NodeJS.Require, filename: string) => void;
  run(createRequire(filename), filename);
  return script;
}

function compiledOf(folder: string, mark: string): Buffer | undefined {
  try {
    const found = readFileSync(join(folder, 'command.cache'));
    return found.toString('latin1', 0, MARK_LENGTH) === mark ? found.subarray(MARK_LENGTH) : undefined;
  } catch {
    return undefined;
  }
}
