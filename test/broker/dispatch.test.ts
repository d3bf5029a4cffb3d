import { expect } from 'chai';
import { advertisedApis, HANDLERS, type HandlerTable } from '../../src/api/table.ts';
import { type ConnectionInfo, NO_REPLY, type Services } from '../../src/api/context.ts';
import { dispatchTo } from '../../src/broker/dispatch.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { APIS, type ApiName } from '../../src/wire/generated/apis.ts';
import { BROKER_APIS } from '../../src/wire/generated/release.ts';
import { readHead } from '../../src/wire/header.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { vectors } from '../support/protocol-data.ts';
import { requestFrame, responseIn } from '../support/requests.ts';

const services = {
  image: { offset: 17 },
  supportedFeatures: new Map([
    ['kraft.version', { min: 0, max: 1 }],
    ['metadata.version', { min: 7, max: 33 }],
    ['share.version', { min: 0, max: 0 }],
  ]),
  finalizedFeatures: () => [{ name: 'metadata.version', level: 33 }],
  advertisedApis: () => advertisedApis(HANDLERS),
} as unknown as Services;

const connection = (): ConnectionInfo => ({ clientSoftwareName: '', clientSoftwareVersion: '' }) as ConnectionInfo;

const NOTHING = Object.fromEntries(Object.keys(APIS).map((name) => [name, null])) as unknown as HandlerTable;

async function answer(frame: Buffer, handlers: HandlerTable = HANDLERS, info = connection()): Promise<Buffer> {
  const chunks = await dispatchTo(handlers, services)(readHead(frame.subarray(4)), info);
  return Buffer.concat(chunks ?? []);
}

describe('dispatch', () => {
  it('answers ApiVersions of an unknown version as Apache Kafka does', async () => {
    const rows = vectors<{ name: string; type: string; frame: string; fallback?: boolean }>('frames.jsonl').filter(
      (row) => row.fallback,
    );
    const [request, response] = ['request', 'response'].map((type) => rows.find((row) => row.type === type)?.frame ?? '');
    expect((await answer(Buffer.from(request ?? '', 'hex'))).toString('hex')).to.equal(response);
    const negative = Buffer.from(request ?? '', 'hex');
    negative.writeInt16BE(-1, 6);
    expect((await answer(negative)).readInt16BE(8)).to.equal(35);
  });

  it('tells what is served: this release, restricted to what has a handler', async () => {
    const frame = await answer(requestFrame('apiVersions', 4, 1, { clientSoftwareName: 'a', clientSoftwareVersion: '1.0-b' }));
    const { errorCode, apiKeys, ...rest } = responseIn('apiVersions', 4, frame.subarray(4));
    expect(errorCode).to.equal(0);
    const handled = (Object.keys(HANDLERS) as ApiName[]).filter((name) => HANDLERS[name] !== null).map((name) => APIS[name].key);
    const expected = BROKER_APIS.filter(({ key }) => handled.includes(key));
    expect(apiKeys).to.deep.equal(expected.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })));
    expect(rest).to.deep.include({
      supportedFeatures: [
        { name: 'kraft.version', minVersion: 0, maxVersion: 1 },
        { name: 'metadata.version', minVersion: 7, maxVersion: 33 },
      ],
      finalizedFeaturesEpoch: 17n,
      finalizedFeatures: [{ name: 'metadata.version', maxVersionLevel: 33, minVersionLevel: 33 }],
    });
  });

  it('leaves out features that begin at 0 before ApiVersions 4', async () => {
    const frame = await answer(requestFrame('apiVersions', 3, 1, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }));
    const { supportedFeatures } = responseIn('apiVersions', 3, frame.subarray(4));
    expect(supportedFeatures.map(({ name }) => name)).to.deep.equal(['metadata.version']);
  });

  it('refuses malformed software names and keeps proper ones', async () => {
    for (const wrong of ['', '-a', 'a b', 'ä', 'a-']) {
      const frame = await answer(requestFrame('apiVersions', 3, 1, { clientSoftwareName: wrong, clientSoftwareVersion: '1' }));
      expect(responseIn('apiVersions', 3, frame.subarray(4)), wrong).to.deep.include({ errorCode: 42, apiKeys: [] });
    }
    const info = connection();
    await answer(
      requestFrame('apiVersions', 3, 1, { clientSoftwareName: 'kafka-js', clientSoftwareVersion: '2.2' }),
      HANDLERS,
      info,
    );
    expect(info).to.include({ clientSoftwareName: 'kafka-js', clientSoftwareVersion: '2.2' });
  });

  it('refuses versions and APIs that are not served, and bytes that do not parse', () => {
    const dispatch = dispatchTo(HANDLERS, services);
    const ask = (frame: Buffer) => () => dispatch(readHead(frame.subarray(4)), connection());
    const old = requestFrame('produce', 3, 1, { acks: 1, timeoutMs: 1, topicData: [] });
    old.writeInt16BE(2, 6);
    expect(ask(old)).to.throw(ProtocolViolation, 'Produce version 2 is not served');
    expect(ask(requestFrame('vote', 0, 1, { topics: [] })), 'not for brokers').to.throw(ProtocolViolation, 'unknown API key 52');
    const torn = requestFrame('heartbeat', 0, 1, { groupId: 'g', generationId: 1, memberId: 'm' });
    expect(ask(torn.subarray(0, -2))).to.throw(DecodeError);
    const none = dispatchTo(NOTHING, services);
    const request = readHead(requestFrame('metadata', 0, 1, { topics: [] }).subarray(4));
    expect(() => none(request, connection())).to.throw(ProtocolViolation, 'Metadata is not served');
  });

  it('ignores bytes behind the body, and sends nothing where nothing is wanted', async () => {
    const handlers: HandlerTable = { ...NOTHING, heartbeat: () => Promise.resolve({ errorCode: 27 }), produce: () => NO_REPLY };
    const padded = requestFrame('heartbeat', 0, 9, { groupId: 'g', generationId: 1, memberId: 'm' }, 30);
    expect((await answer(padded, handlers)).toString('hex')).to.equal('0000000600000009001b');
    const silent = requestFrame('produce', 3, 1, { acks: 0, timeoutMs: 1, topicData: [] });
    expect((await answer(silent, handlers)).length).to.equal(0);
  });
});
