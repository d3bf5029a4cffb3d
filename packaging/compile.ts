/**
 * `node compile.js BIN NAME MARK ARGUMENTS...`: runs a bundled command and keeps what V8 has compiled for that as BIN/NAME.cache; `start` through a whole
 * life, a start, a first client and a stop. A process of its own, since the command ends with its process.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { bundleOf, runCompiled } from './launcher.ts';

const [bin = '', , mark = '', ...args] = process.argv.slice(2);
process.argv.splice(2, process.argv.length, ...args);
const name = bundleOf(process.argv);

/** Frames of ApiVersions 3 and Metadata 9, as clients begin. */
const HELLO = Buffer.from('00000017001200030000000100036b697400046b697404312e3000', 'hex');
const METADATA = Buffer.from('00000013000300090000000200036b6974000000000000', 'hex');

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text: string | Uint8Array): boolean => {
  const port = /ready on \S+?:(\d+)/.exec(String(text))?.[1];
  if (port === undefined) return write(text);
  const socket = connect(Number(port), '127.0.0.1', () => void socket.write(HELLO));
  let answers = 0;
  socket.on('data', () => {
    if (++answers === 1) socket.write(METADATA);
    else socket.end();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => process.emit('SIGTERM'));
  return true;
};

const script = runCompiled(bin, name, createRequire(join(bin, `${name}.cjs`)));
process.on('exit', () => {
  const path = join(bin, `${name}.cache`);
  writeFileSync(`${path}.tmp`, Buffer.concat([Buffer.from(mark), script.createCachedData()]));
  renameSync(`${path}.tmp`, path);
});
