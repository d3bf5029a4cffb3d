/** Listeners and connections on a network, a clock and a dispatch that the test owns. */
import { expect } from 'chai';
import type { ConnectionInfo } from '../../src/api/context.ts';
import type { Answer } from '../../src/broker/dispatch.ts';
import { Listeners } from '../../src/broker/listeners.ts';
import type { Logger } from '../../src/broker/logger.ts';
import { Settings } from '../../src/broker/settings.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';
import { type RequestHead, responseFrame } from '../../src/wire/header.ts';
import { ProtocolViolation } from '../../src/wire/protocol-violation.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FakeNetwork } from '../sim/fake-network.ts';
import { correlationIdsIn, requestFrame } from '../support/requests.ts';

interface Started {
  readonly correlationId: number;
  readonly api: string;
  readonly connection: ConnectionInfo;
  answer(bytes?: number): void;
  fail(error: Error): void;
}

const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

function answerOf(head: RequestHead, bytes: number): Answer {
  const body: Parameters<typeof head.served.api.writeResponse>[1] = { errorCode: 0, responses: [] };
  return responseFrame(head.served.api, head.apiVersion, head.correlationId, body).concat(bytes > 0 ? [Buffer.alloc(bytes)] : []);
}

async function started(settings: Record<string, string> = {}) {
  const network = new FakeNetwork();
  const clock = new VirtualClock();
  const lines: string[] = [];
  const note = (sentence: string): void => void lines.push(sentence);
  const log: Logger = { error: note, warn: note, info: note, debug: note };
  const view = new Settings([{ origin: 'test', values: new Map(Object.entries(settings)) }]);
  const listeners = new Listeners({ network, clock, settings: view, log });
  await listeners.configure((name) => view.optional(name) ?? '');
  const { port } = await listeners.bind({ name: 'PLAINTEXT', host: '', port: 0 });
  const requests: Started[] = [];
  const serve = (): void =>
    listeners.serve(
      (head, connection) =>
        new Promise<Answer>((resolve, reject) => {
          requests.push({
            correlationId: head.correlationId,
            api: head.served.name,
            connection,
            answer: (bytes = 0) => resolve(answerOf(head, bytes)),
            fail: reject,
          });
        }),
    );
  return { network, clock, lines, listeners, port, requests, serve };
}

const heartbeat = (id: number): Buffer => requestFrame('heartbeat', 0, id, { groupId: 'g', generationId: 1, memberId: 'm' });
const produce = (id: number, padding = 0): Buffer =>
  requestFrame('produce', 3, id, { acks: 1, timeoutMs: 1, topicData: [] }, padding);

describe('connections', () => {
  it('answer in the order of requests, one after the other, as Kafka does', async () => {
    const { network, port, requests, serve } = await started();
    serve();
    const client = network.connect(port);
    client.connection.write([heartbeat(1), heartbeat(2), produce(3)]);
    await turns();
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1]);
    requests[0]?.answer();
    await turns();
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1, 2]);
    requests[1]?.answer();
    await turns();
    requests[2]?.answer();
    await turns();
    expect(correlationIdsIn(client.take())).to.deep.equal([1, 2, 3]);
  });

  it('start Produce behind Produce at once, and still answer in order', async () => {
    const { network, port, requests, serve } = await started();
    serve();
    const client = network.connect(port);
    client.connection.write([produce(1), produce(2), produce(3), heartbeat(4), produce(5)]);
    await turns();
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1, 2, 3]);
    requests[2]?.answer();
    requests[1]?.answer();
    await turns();
    expect(client.take().length).to.equal(0);
    requests[0]?.answer();
    await turns();
    expect(correlationIdsIn(client.take())).to.deep.equal([1, 2, 3]);
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1, 2, 3, 4]);
  });

  it('stop reading from a client that sends without end while its requests wait', async () => {
    const { network, port, requests, serve } = await started();
    serve();
    const client = network.connect(port);
    const mib = 1 << 20;
    for (let i = 0; i < 64; i++) client.connection.write([produce(i, mib)]);
    await turns(100);
    const held = requests.length * mib;
    expect(held).to.be.at.most(9 * mib);
    for (let i = 0; i < 64; i++) {
      requests[i]?.answer();
      await turns(10);
    }
    expect(requests.length).to.equal(64);
    await turns();
    expect(correlationIdsIn(client.take()).length).to.equal(64);
  });

  it('start nothing more for a client that does not read', async () => {
    const { network, port, requests, serve } = await started();
    serve();
    const client = network.connect(port);
    client.connection.pause();
    for (let i = 0; i < 100; i++) client.connection.write([heartbeat(i)]);
    for (let i = 0; i < 100; i++) {
      await turns(3);
      requests[i]?.answer(50_000);
    }
    expect(requests.length).to.be.below(5);
    expect(client.bufferedBytes).to.be.below(250_000);
    client.connection.resume();
    for (let i = 0; i < 300; i++) {
      await turns(3);
      for (const request of requests) request.answer(0);
    }
    expect(requests.length).to.equal(100);
  });

  it('of all clients together hold no more than queued.max.request.bytes and one request', async () => {
    const { network, port, requests, serve } = await started({ 'queued.max.request.bytes': '3000' });
    serve();
    const clients = Array.from({ length: 10 }, () => network.connect(port));
    for (const [i, { connection }] of clients.entries()) connection.write([produce(i, 1000)]);
    await turns();
    expect(requests.length).to.equal(3);
    for (let i = 0; i < 10; i++) {
      requests[i]?.answer();
      await turns();
    }
    expect(requests.length).to.equal(10);
    const [first] = clients;
    first?.connection.write([produce(11, 1000)]);
    await turns();
    first?.connection.destroy();
    await turns();
    const later = network.connect(port);
    later.connection.write([produce(12, 1000)]);
    await turns();
    expect(requests.at(-1)?.correlationId, 'what a closed connection held is free again').to.equal(12);
  });

  it('are closed for what no client may send, with a line that says why', async () => {
    const { network, port, serve, lines } = await started({ 'socket.request.max.bytes': '1000' });
    serve();
    const wrong = {
      'frame of -1 bytes': Buffer.from('ffffffff', 'hex'),
      'larger than socket.request.max.bytes = 1000': Buffer.from('000003e9', 'hex'),
      'unknown API key 999': Buffer.from('0000000a03e7000000000001ffff', 'hex'),
      'has no room for a header': Buffer.from('00000000', 'hex'),
    };
    for (const [sentence, bytes] of Object.entries(wrong)) {
      const client = network.connect(port);
      client.connection.write([bytes]);
      await turns();
      expect(client.closed, sentence).to.equal(true);
      expect(lines.at(-1)).to.contain(sentence);
    }
  });

  it('are closed when a handler says so, with its own sentence', async () => {
    const { network, port, serve, requests, lines } = await started();
    serve();
    const client = network.connect(port);
    client.connection.write([heartbeat(1)]);
    await turns();
    requests[0]?.fail(new ProtocolViolation('produce with acks=0 to t-0 failed with error 3: closing is the only answer'));
    await turns();
    expect(client.closed).to.equal(true);
    expect(lines).to.deep.equal([
      'closing a connection: produce with acks=0 to t-0 failed with error 3: closing is the only answer',
    ]);
  });

  it('are closed when a handler fails, with a line that names the API', async () => {
    const { network, port, serve, requests, lines } = await started();
    serve();
    const client = network.connect(port);
    client.connection.write([heartbeat(1)]);
    await turns();
    requests[0]?.fail(new Error('out of luck'));
    await turns();
    expect(client.closed).to.equal(true);
    expect(lines).to.deep.equal(['closing a connection: Heartbeat version 0 failed']);
  });

  it('tell those who wait for them that they are gone, unless they took that back', async () => {
    const { network, port, requests, serve } = await started();
    serve();
    const client = network.connect(port);
    client.connection.write([heartbeat(1)]);
    await turns();
    const told: string[] = [];
    requests[0]?.connection.onClosed(() => told.push('kept'));
    requests[0]?.connection.onClosed(() => told.push('taken back'))();
    client.connection.destroy();
    await turns();
    expect(told).to.deep.equal(['kept']);
    requests[0]?.connection.onClosed(() => told.push('late'));
    expect(told).to.deep.equal(['kept', 'late']);
    expect(requests[0]?.connection.closed).to.equal(true);
  });

  it('wait unread until the broker is ready', async () => {
    const { network, port, requests, serve } = await started();
    const client = network.connect(port);
    client.connection.write([heartbeat(1)]);
    await turns();
    expect(requests.length).to.equal(0);
    serve();
    await turns();
    expect(requests.length).to.equal(1);
  });

  it('idle for connections.max.idle.ms are closed, others not', async () => {
    const { network, port, requests, serve, clock, listeners } = await started({ 'connections.max.idle.ms': '1000' });
    serve();
    const idle = network.connect(port);
    const busy = network.connect(port);
    for (let i = 0; i < 3; i++) {
      busy.connection.write([heartbeat(i)]);
      await turns();
      requests[i]?.answer();
      await clock.advance(400);
      await turns();
    }
    expect([idle.closed, busy.closed]).to.deep.equal([true, false]);
    await clock.advance(1000);
    await turns();
    expect(busy.closed).to.equal(true);
    expect(listeners.connections.size).to.equal(0);
    expect(clock.nextAt(), 'no timer is left').to.equal(undefined);
  });

  it('beyond max.connections wait for a place', async () => {
    const { network, port, requests, serve } = await started({ 'max.connections': '2' });
    serve();
    const clients = [1, 2, 3].map((id) => {
      const client = network.connect(port);
      client.connection.write([heartbeat(id)]);
      return client;
    });
    await turns();
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1, 2]);
    clients[0]?.connection.destroy();
    await turns();
    expect(requests.map(({ correlationId }) => correlationId)).to.deep.equal([1, 2, 3]);
  });

  it('beyond max.connections.per.ip are closed, with overrides by address', async () => {
    const { network, port, serve, listeners } = await started({
      'max.connections.per.ip': '2',
      'max.connections.per.ip.overrides': '10.0.0.1:0, 10.0.0.2:3',
    });
    serve();
    const closedOf = async (from: string, count: number): Promise<number> => {
      const clients = Array.from({ length: count }, () => network.connect(port, { from }));
      await turns();
      return clients.filter(({ closed }) => closed).length;
    };
    expect(await closedOf('10.0.0.9', 4)).to.equal(2);
    expect(await closedOf('10.0.0.1', 2)).to.equal(2);
    expect(await closedOf('10.0.0.2', 4)).to.equal(1);
    expect(listeners.connections.size).to.equal(5);
  });

  it('may be more or fewer from one moment to the next, while those that are there stay', async () => {
    const { network, port, requests, serve, listeners } = await started({ 'max.connections': '1' });
    serve();
    const limits = (values: Record<string, string>) =>
      listeners.configure((name) => values[name] ?? (name.endsWith('overrides') ? '' : '9'));
    for (const id of [1, 2, 3]) network.connect(port).connection.write([heartbeat(id)]);
    await turns();
    expect(requests).to.have.length(1);
    await limits({ 'max.connections': '2' });
    await turns();
    expect(requests).to.have.length(2);
    await limits({ 'max.connections.per.ip.overrides': 'localhost:2' });
    await turns();
    expect(requests, 'the one that waited is one too many from its address').to.have.length(2);
    const unknown = limits({ 'max.connections': '1', 'max.connections.per.ip.overrides': 'no.such.host:2' });
    expect(await unknown.then(() => null, String)).to.include('names no.such.host, which is not known by that name');
    network.connect(port, { from: '10.0.0.1' }).connection.write([heartbeat(4)]);
    await turns();
    expect(requests, 'what was in force stays').to.have.length(3);
  });

  it('under way end before a stop does, parked ones are dropped', async () => {
    const { network, port, serve, requests, listeners, clock } = await started();
    serve();
    const working = network.connect(port);
    const parked = network.connect(port);
    const quiet = network.connect(port);
    working.connection.write([heartbeat(1), heartbeat(2)]);
    parked.connection.write([requestFrame('fetch', 4, 3, { maxWaitMs: 500, minBytes: 1, topics: [] })]);
    await turns();
    let stopped = false;
    void listeners.stop().then(() => (stopped = true));
    await turns();
    expect([quiet.closed, parked.closed, working.closed, stopped]).to.deep.equal([true, true, false, false]);
    requests.find(({ correlationId }) => correlationId === 1)?.answer();
    await turns();
    expect(correlationIdsIn(working.take())).to.deep.equal([1]);
    expect([working.closed, stopped]).to.deep.equal([true, true]);
    expect(clock.nextAt()).to.equal(undefined);
    expect(() => network.connect(port)).to.throw('nobody listens');
  });

  it('in the way of a listener are said in one sentence', async () => {
    const { listeners, port } = await started();
    const failure = await listeners.bind({ name: 'OTHER', host: '', port }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(SettingsError);
    expect((failure as Error).message).to.equal(
      `Port ${port} (listener OTHER) is in use by another process; stop that one or choose another port`,
    );
  });
});
