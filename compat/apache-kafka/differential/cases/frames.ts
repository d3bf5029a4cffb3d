/** What stands at the door: ApiVersions and frames that are no requests. */
import { type Case, many, one } from '../case.ts';
import type { Conversation } from '../conversation.ts';
import { NoAnswer } from '../../../../test/support/plain-client.ts';

/** A request's header with nothing behind it: key, version, correlation id 7, client id `c`, and a tag section where `flexible`. */
const head = (key: number, version: number, flexible = false): Buffer => {
  const bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0x63, ...(flexible ? [0] : [])]);
  bytes.writeInt16BE(key, 0);
  bytes.writeInt16BE(version, 2);
  return bytes;
};

const answered = async (x: Conversation, answer: Promise<Buffer>): Promise<void> => {
  const outcome = await answer.catch((error: unknown) => {
    if (error instanceof NoAnswer) return error.message;
    throw error;
  });
  x.note('frame', outcome);
};

const frame = (name: string, content: () => Buffer): Case =>
  many('apiVersions', name, (x) => answered(x, x.connection('first').exchange(content())), { from: 4, to: 4 });
const bytes = (name: string, all: () => Buffer): Case =>
  many('apiVersions', name, (x) => answered(x, x.connection('first').exchangeBytes(all())), { from: 4, to: 4 });

export const FRAME_CASES: readonly Case[] = [
  one('apiVersions', 'asked', () => ({ clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' })),
  one('apiVersions', 'by software without name', () => ({ clientSoftwareName: '', clientSoftwareVersion: '1.0' }), { from: 3 }),
  one(
    'apiVersions',
    'by software with a name that cannot be',
    () => ({ clientSoftwareName: '-a b', clientSoftwareVersion: '1.0' }),
    { from: 3 },
  ),
  one(
    'apiVersions',
    'by software with a version that cannot be',
    () => ({ clientSoftwareName: 'a', clientSoftwareVersion: '1 0' }),
    { from: 3 },
  ),
  frame('in a version to come', () => head(18, 99)),
  frame('in a negative version', () => head(18, -1)),
  frame('Metadata in a version to come', () => head(3, 99)),
  frame('Metadata in a negative version', () => head(3, -1)),
  frame('Produce in version 2', () => head(0, 2)),
  frame('an API that is none', () => head(999, 0)),
  frame('an API of controllers', () => head(52, 0)),
  frame('an API that was removed', () => head(4, 0)),
  frame('a body cut short', () => Buffer.concat([head(3, 4), Buffer.from([0, 0])])),
  frame('a body too long', () => Buffer.concat([head(15, 0), Buffer.from([0, 0, 0, 0, 9, 9, 9])])),
  frame('an array of more than there is', () => Buffer.concat([head(3, 4), Buffer.from([0x7f, 0xff, 0xff, 0xff])])),
  frame('a header cut short', () => Buffer.from([0, 3, 0])),
  bytes('a size of zero', () => Buffer.from([0, 0, 0, 0])),
  bytes('a size below zero', () => Buffer.from([0xff, 0xff, 0xff, 0xff])),
  bytes('a size above all limits', () => Buffer.from([0x7f, 0xff, 0xff, 0xff])),
  bytes('a request of HTTP', () => Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  bytes('a hello of TLS', () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])),
];
