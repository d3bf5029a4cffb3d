/**
 * `node compile.js BIN MARK DATA`: runs the bundled command through a whole life, a start, a first client and a stop, and keeps what V8 has compiled
 * for that as BIN/command.cache. A process of its own, since the command ends with its process.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { launch } from './launcher.ts';

const [bin = '', mark = '', data = ''] = process.argv.slice(2);
process.argv.splice(2, process.argv.length, 'start', '--port', '0', '--data-dir', data);

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

const script = launch(bin);
process.on('exit', () => {
  const path = join(bin, 'command.cache');
  writeFileSync(`${path}.tmp`, Buffer.concat([Buffer.from(mark), script.createCachedData()]));
  renameSync(`${path}.tmp`, path);
});
