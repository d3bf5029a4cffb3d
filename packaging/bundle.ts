/**
 * Makes build/bin out of build/src: the command in one file, the launcher in another, the command as V8 compiles it, and the library, whose types stay
 * where they are.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type BuildOptions } from 'esbuild';

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

buildSync({
  ...COMMON,
  entryPoints: [join(here, '../src/cli/main.js')],
  outfile: join(bin, 'command.cjs'),
  format: 'iife',
  packages: 'external',
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
});
// The first line of the entry is for the shell; inside a function it would be a syntax error.
const command = join(bin, 'command.cjs');
const source = readFileSync(command, 'latin1').replace(/^#!.*\n/, '');
const mark = createHash('sha256').update(source).digest('hex');
rmSync(command);
appendFileSync(command, `${source}//${mark}`);

buildSync({
  ...COMMON,
  stdin: { contents: "import { launch } from './launcher.js';\nlaunch(__dirname);\n", resolveDir: here },
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

rmSync(join(bin, 'command.cache'), { force: true });
const data = mkdtempSync(join(tmpdir(), 'blumfeld-compile-'));
const compiler = spawnSync(process.execPath, [join(here, 'compile.js'), bin, mark, join(data, 'data')], { stdio: 'inherit' });
rmSync(data, { recursive: true, force: true });
if (compiler.status !== 0) throw new Error('the command could not be run to compile it');
