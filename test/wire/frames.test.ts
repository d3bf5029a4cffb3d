import { expect } from 'chai';
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { readResponseHeader } from '../../src/wire/generated/response-header.ts';
import { readHead, responseFrame } from '../../src/wire/header.ts';
import { Reader } from '../../src/wire/reader.ts';
import { vectors } from '../support/protocol-data.ts';

interface Row {
  readonly name: string;
  readonly type: 'request' | 'response';
  readonly version: number;
  readonly header: number;
  readonly correlationId: number;
  readonly clientId?: string | null;
  readonly fallback?: boolean;
  readonly frame: string;
}

const apiOf = (row: Row): Api => APIS[(row.name.charAt(0).toLowerCase() + row.name.slice(1)) as ApiName];
const rows = vectors<Row>('frames.jsonl');

describe('golden frames', () => {
  it('of requests are taken apart', () => {
    let read = 0;
    const unserved: string[] = [];
    for (const row of rows.filter((r) => r.type === 'request')) {
      const frame = Buffer.from(row.frame, 'hex');
      const size = frame.readInt32BE(0);
      expect(size).to.equal(frame.length - 4);
      let head: ReturnType<typeof readHead>;
      try {
        head = readHead(frame.subarray(4));
      } catch (e) {
        unserved.push(`${row.name}: ${String(e)}`);
        continue;
      }
      expect(head).to.deep.include({ apiVersion: row.version, correlationId: row.correlationId, clientId: row.clientId ?? '' });
      if (row.fallback) continue;
      apiOf(row).readRequest(head.body, row.version);
      expect(head.body.remaining, row.name).to.equal(0);
      read++;
    }
    expect(read).to.be.greaterThan(150);
    for (const reason of unserved) expect(reason).to.match(/unknown API key/);
  });

  it('of responses are put together again', () => {
    const responses = rows.filter((r) => r.type === 'response' && !r.fallback);
    expect(responses.length).to.be.greaterThan(150);
    for (const row of responses) {
      const frame = Buffer.from(row.frame, 'hex');
      const r = new Reader(frame, 4);
      expect(readResponseHeader(r, row.header).correlationId).to.equal(row.correlationId);
      const api = apiOf(row);
      const body = api.readResponse(r, row.version);
      const again = Buffer.concat(responseFrame(api, row.version, row.correlationId, body as never));
      expect(again.toString('hex'), `${row.name} v${row.version}`).to.equal(row.frame);
    }
  });
});
