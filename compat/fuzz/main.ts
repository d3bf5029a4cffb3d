/** Fuzzes requests and files for `FUZZ_SECONDS` (default 40) from `SEED` (default: drawn) and prints what it found; ends with `N passed, M failed`. */
import { readFileSync } from 'node:fs';
import { fuzzFiles } from './files.ts';
import { fuzzRequests } from './requests.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 40);
const seed = process.env['SEED'] === undefined ? (Date.now() ^ (process.pid << 12)) >>> 0 : Number(process.env['SEED']);
/** Frames that once did harm, one in hexadecimal per line; `#` begins a comment. */
const known = readFileSync('compat/fuzz/regressions.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => Buffer.from(line, 'hex'));

/** Not in the checkout's history. */
const FOUND = 'build/fuzz';

console.log(`seed ${seed}, ${seconds} s`);
let failed = 0;
for (const [what, share, run] of [
  ['requests', 0.7, (time: number) => fuzzRequests(seed, time, known, FOUND)],
  ['damaged files', 0.3, (time: number) => fuzzFiles(seed, time)],
] as const) {
  const { requests, findings } = await run(seconds * share);
  console.log(`${findings.length === 0 ? 'ok' : 'not ok'}: ${requests} ${what}`);
  for (const finding of findings) console.log(finding);
  if (findings.length > 0) failed++;
}
console.log(`${2 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
