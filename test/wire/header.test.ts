import { expect } from 'chai';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { APIS, type Api } from '../../src/wire/generated/apis.ts';
import { readHead, responseFrame, servedApi } from '../../src/wire/header.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { Reader } from '../../src/wire/reader.ts';
import { vectors } from '../support/protocol-data.ts';

interface FrameRow {
  readonly name: string;
  readonly type: 'request' | 'response';
  readonly version: number;
  readonly header: number;
  readonly correlationId: number;
  readonly clientId?: string | null;
  readonly frame: string;
  readonly fallback?: boolean;
}

describe('headers', () => {
  const rows = vectors<FrameRow>('frames.jsonl');

  it('of every request frame of Apache Kafka are read', () => {
    let read = 0;
    for (const { name, version, frame, type, correlationId, clientId } of rows) {
      const request = Buffer.from(frame, 'hex').subarray(4);
      if (type !== 'request' || servedApi(request.readInt16BE(0)) === undefined) continue;
      const { served, apiVersion, body, ...head } = readHead(request);
      expect([served.api.name, apiVersion, head]).to.deep.equal([name, version, { correlationId, clientId: clientId ?? '' }]);
      if (version >= served.minVersion && version <= served.maxVersion) served.api.readRequest(body, version);
      read++;
    }
    expect(read).to.be.above(100);
  });

  it('tell the range that is served and the wider one that is shown', () => {
    const produce = servedApi(APIS.produce.key);
    expect(produce?.minVersion).to.equal(3);
    expect(produce?.advertised.minVersion).to.equal(0);
    expect(servedApi(4)).to.equal(undefined);
  });

  it('of unknown APIs are violations, torn ones decode errors', () => {
    expect(() => readHead(Buffer.alloc(0))).to.throw(ProtocolViolation, '0 bytes');
    expect(() => readHead(Buffer.from('7fff000000000001ffff', 'hex'))).to.throw(ProtocolViolation, 'unknown API key 32767');
    expect(() => readHead(Buffer.from('0012000300000001', 'hex'))).to.throw(DecodeError);
  });

  it('take a missing client id for an empty one, as Kafka does', () => {
    expect(readHead(Buffer.from('0012000000000007ffff', 'hex'))).to.include({ clientId: '', correlationId: 7 });
  });

  it('of answers have tags in flexible versions, except those to ApiVersions', () => {
    const heartbeat = Buffer.concat(responseFrame(APIS.heartbeat, 4, 5, { errorCode: 27 }));
    expect(heartbeat.toString('hex')).to.equal('0000000c000000050000000000001b00');
    const older = Buffer.concat(responseFrame(APIS.heartbeat, 1, 5, { errorCode: 27 }));
    expect(older.toString('hex')).to.equal('0000000a0000000500000000001b');
    const versions = Buffer.concat(responseFrame(APIS.apiVersions, 3, 5, { errorCode: 0, apiKeys: [] }));
    expect(versions.toString('hex')).to.equal('0000000c000000050000010000000000');
  });

  it('and bodies of answers are framed as Apache Kafka frames them', () => {
    let written = 0;
    for (const row of rows) {
      const served = Object.values(APIS).find(({ name }) => name === row.name) as Api | undefined;
      if (row.type !== 'response' || served === undefined) continue;
      const frame = Buffer.from(row.frame, 'hex');
      const body = served.readResponse(new Reader(frame, row.header === 1 ? 9 : 8), row.version);
      const again = Buffer.concat(responseFrame(served, row.version, row.correlationId, body));
      expect(again.toString('hex'), `${row.name} v${row.version}`).to.equal(row.frame);
      written++;
    }
    expect(written).to.be.above(100);
  });
});
