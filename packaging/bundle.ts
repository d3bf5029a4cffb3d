/**
 * Makes build/bin out of build/src: the launcher; all commands in one file; `start` in a file of its own, without what only clients and other commands
 * need, and as V8 compiles it; and the library, whose types stay where they are. Packages that are loaded when they are first needed are in none of them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type BuildOptions } from 'esbuild';
import type { BundleName } from './launcher.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const bin = process.argv[2] ?? join(here, '../bin');

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  charset: 'ascii',
  logLevel: 'warning',
};

/** A function of these two, so that it can be compiled apart; `import.meta.url` is where the file is. */
const HEAD = "(function(require,__filename){const importMetaUrl=require('node:url').pathToFileURL(__filename).href;";

/** Marked with what its compiled form has to begin with. The mark. */
function bundleCommand(name: BundleName, contents: string): string {
  const outfile = join(bin, `${name}.cjs`);
  buildSync({
    ...COMMON,
    stdin: { contents, resolveDir: here },
    outfile,
    format: 'iife',
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: HEAD },
    footer: { js: '})' },
    legalComments: 'inline',
  });
  const mark = createHash('sha256').update(readFileSync(outfile, 'latin1')).digest('hex');
  appendFileSync(outfile, `//${mark}`);
  return mark;
}

function compile(name: BundleName, mark: string, args: readonly string[]): void {
  rmSync(join(bin, `${name}.cache`), { force: true });
  const { status } = spawnSync(process.execPath, [join(here, 'compile.js'), bin, name, mark, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`${name} could not be run to compile it`);
}

const START = `import { start } from '../src/cli/start.js';
void start(process.argv.slice(3)).then((code) => { process.exitCode = code; });
`;
const startMark = bundleCommand('start', START);
const commandMark = bundleCommand('command', "import '../src/cli/main.js';");

buildSync({
  ...COMMON,
  stdin: {
    contents:
      "import { bundleOf, runCompiled } from './launcher.js';\nrunCompiled(__dirname, bundleOf(process.argv), require);\n",
    resolveDir: here,
  },
  outfile: join(bin, 'main.cjs'),
  banner: { js: '#!/usr/bin/env node' },
});

buildSync({
  ...COMMON,
  entryPoints: [join(here, '../src/broker/broker.js')],
  outfile: join(bin, 'broker.js'),
  format: 'esm',
  packages: 'external',
});

// Threads run files: this one stands where both the command and the library look for it, beside them.
buildSync({
  ...COMMON,
  entryPoints: [join(here, '../src/broker/cleaner-main.js')],
  outfile: join(bin, 'cleaner-main.js'),
  format: 'esm',
  packages: 'external',
});

const data = mkdtempSync(join(tmpdir(), 'blumfeld-compile-'));
compile('start', startMark, ['start', '--port', '0', '--data-dir', join(data, 'data')]);
compile('command', commandMark, ['--version']);
rmSync(data, { recursive: true, force: true });
