/** Whole brokers in this process. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';
import type { ApiName, ApiTypes } from '../../src/wire/generated/apis.ts';
import type { Network } from '../../src/world/network.ts';
import { NodeNetwork } from '../../src/world/node-network.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { framesIn, requestFrame, responseIn } from '../support/requests.ts';

const portOf = (broker: Broker): number => Number(/:(\d+)$/.exec(broker.bootstrapServers)?.[1]);

function received(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) resolve(bytes);
    });
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.once('error', reject);
  });
}

async function ask<N extends ApiName>(
  port: number,
  host: string,
  name: N,
  version: number,
  body: ApiTypes[N]['requestDraft'],
): Promise<ApiTypes[N]['response']> {
  const socket = connect(port, host);
  const answer = received(socket);
  socket.write(requestFrame(name, version, 1, body));
  try {
    const [frame] = framesIn(await answer);
    return responseIn(name, version, frame ?? Buffer.alloc(0));
  } finally {
    socket.destroy();
  }
}

describe('Broker.start', function () {
  this.timeout(120_000);

  it('two dozen at once, each with its own data, which is gone after the stop', async () => {
    const brokers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => Broker.start({ port: 0, topics: { [`t${i}`]: i + 1 } })),
    );
    const ports = new Set(brokers.map(portOf));
    expect(ports.size).to.equal(24);
    for (const [i, broker] of brokers.entries()) {
      const { topics, clusterId } = await ask(portOf(broker), '127.0.0.1', 'metadata', 12, { topics: null });
      expect(topics.map(({ name, partitions }) => [name, partitions.length])).to.deep.equal([[`t${i}`, i + 1]]);
      expect(clusterId).to.equal(broker.services.clusterId);
    }
    const directories = brokers.flatMap(({ dataDirs }) => dataDirs);
    expect(directories.every((path) => existsSync(path))).to.equal(true);
    await Promise.all(brokers.map((broker) => broker.stop()));
    expect(directories.filter((path) => existsSync(path))).to.deep.equal([]);
  });

  it('is ready after little work, and without waiting for any time to pass', async () => {
    const done: string[] = [];
    const files = new FakeFiles(() => 0, { beforeOperation: (operation) => void done.push(operation) });
    await using broker = await Broker.start({
      port: 0,
      dataDir: '/data',
      topics: { orders: 3 },
      clock: 'virtual',
      world: { files },
    });
    // How long that takes is a matter of the machine; `make bench` measures it.
    expect(done.length, 'operations of the disk').to.be.below(130);
    expect(done.filter((operation) => operation === 'sync').length, 'syncs').to.be.below(30);
    expect((await ask(portOf(broker), '127.0.0.1', 'metadata', 12, { topics: null })).topics.length).to.equal(1);
  });

  it('keeps a directory that is named, and everything in it', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-broker-'));
    try {
      const first = await Broker.start({
        port: 0,
        dataDir,
        topics: { orders: { partitions: 2, configs: { 'retention.ms': '5000' } } },
      });
      const { clusterId } = first.services;
      await first.stop();
      await first.stop();
      const second = await Broker.start({ port: 0, dataDir, topics: { orders: 7 } });
      expect(second.services.clusterId).to.equal(clusterId);
      const { topics } = await ask(portOf(second), '127.0.0.1', 'metadata', 12, { topics: null });
      expect(topics.map(({ name, partitions }) => [name, partitions.length])).to.deep.equal([['orders', 2]]);
      await second.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('is disposed of by `await using`', async () => {
    let port = 0;
    {
      await using broker = await Broker.start({ port: 0 });
      port = portOf(broker);
      expect((await ask(port, '127.0.0.1', 'apiVersions', 0, {})).errorCode).to.equal(0);
    }
    const failure = await ask(port, '127.0.0.1', 'apiVersions', 0, {}).catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'ECONNREFUSED');
  });

  it('tells each client the address by which it came', async function () {
    await using broker = await Broker.start({ settings: { listeners: 'PLAINTEXT://:0' } });
    const port = portOf(broker);
    const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const outside = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const hosts = [
      '127.0.0.1',
      '127.0.0.2',
      ...(others.some(({ address }) => address === '::1') ? ['::1'] : []),
      ...(outside === undefined ? [] : [outside]),
    ];
    for (const host of hosts) {
      const expected = { nodeId: 1, host, port };
      const metadata = await ask(port, host, 'metadata', 12, { topics: [] });
      expect(metadata.brokers[0]).to.include(expected);
      const cluster = await ask(port, host, 'describeCluster', 0, { includeClusterAuthorizedOperations: false });
      expect(cluster.brokers[0]).to.include({ brokerId: 1, host, port });
      const coordinator = await ask(port, host, 'findCoordinator', 4, { coordinatorKeys: ['g'] });
      if (coordinator.coordinators[0]?.errorCode === 0) expect(coordinator.coordinators[0]).to.include(expected);
    }
  });

  it('tells what is advertised where something is', async () => {
    await using broker = await Broker.start({
      settings: {
        listeners: 'PLAINTEXT://127.0.0.1:0,OUT://127.0.0.1:0',
        'advertised.listeners': 'OUT://kafka.example.org:19092',
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT',
      },
    });
    const [inside, out] = broker.bootstrapServers.split(',').map((server) => Number(server.split(':')[1]));
    const plain = await ask(inside ?? 0, '127.0.0.1', 'metadata', 12, { topics: [] });
    expect(plain.brokers[0]).to.include({ host: '127.0.0.1', port: inside });
    const advertised = await ask(out ?? 0, '127.0.0.1', 'metadata', 12, { topics: [] });
    expect(advertised.brokers[0]).to.include({ host: 'kafka.example.org', port: 19092 });
  });

  it('lets a test own the time', async () => {
    await using broker = await Broker.start({ port: 0, clock: 'virtual' });
    const before = broker.time.now();
    await broker.time.advance(60_000);
    expect(broker.time.now()).to.equal(before + 60_000);
    const machine = await Broker.start({ port: 0 });
    expect(() => machine.time).to.throw("start it with clock: 'virtual'");
    await machine.stop();
  });

  it('gives everything back when it cannot start', async () => {
    await using running = await Broker.start({ port: 0 });
    const taken = await Broker.start({ port: portOf(running) }).catch((error: unknown) => error);
    expect(taken).to.be.instanceOf(SettingsError);
    const failure = await Broker.start({ port: 0, topics: { 'no such/name': 1 } }).catch((error: unknown) => error);
    expect((failure as Error).message).to.match(/^Topic no such\/name cannot be created: /);
    const misspelt = await Broker.start({ port: 0, settings: { 'log.retention': 1 } }).catch((error: unknown) => error);
    expect((misspelt as Error).message).to.contain('Unknown setting log.retention=1');
  });

  it('asks for addresses of hosts when limits of connections change, and not when other configs do', async () => {
    const asked: string[] = [];
    const network = new NodeNetwork();
    const counting: Network = {
      listen: (...where) => network.listen(...where),
      addressOf: (host) => {
        asked.push(host);
        return network.addressOf(host);
      },
    };
    const settings = { 'max.connections.per.ip.overrides': 'localhost:7' };
    await using broker = await Broker.start({ port: 0, topics: { a: 1 }, settings, world: { network: counting } });
    const alter = async (resourceType: number, resourceName: string, name: string, value: string): Promise<void> => {
      const configs = [{ name, configOperation: 0, value }];
      const resources = [{ resourceType, resourceName, configs }];
      await ask(portOf(broker), '127.0.0.1', 'incrementalAlterConfigs', 1, { resources, validateOnly: false });
    };
    asked.length = 0;
    await alter(2, 'a', 'retention.ms', '1000');
    expect(asked).to.deep.equal([]);
    await alter(4, '', 'max.connections', '100');
    expect(asked).to.deep.equal(['localhost']);
  });

  it('remembers no directory of a broker whose options are refused', async () => {
    const listening = process.listenerCount('exit');
    const refused = [{ settings: { 'no.such.setting': 1 } }, { port: 70_000 }, { settings: { 'log.segment.bytes': 'x' } }];
    for (const options of refused) {
      const outcome = await Broker.start(options).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(SettingsError);
    }
    expect(process.listenerCount('exit')).to.equal(listening);
  });

  it('never gives a producer id twice, across restarts too', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-broker-'));
    try {
      const ids: bigint[] = [];
      for (let round = 0; round < 2; round++) {
        const broker = await Broker.start({ port: 0, dataDir });
        const asked = Array.from({ length: 5 }, () =>
          ask(portOf(broker), '127.0.0.1', 'initProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1000 }),
        );
        for (const { errorCode, producerId } of await Promise.all(asked)) {
          expect(errorCode).to.equal(0);
          ids.push(producerId);
        }
        await broker.stop();
      }
      expect(new Set(ids).size).to.equal(10);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
