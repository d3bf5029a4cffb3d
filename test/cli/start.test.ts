/** The command in processes of its own: what it says, how it ends. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCommand } from '../support/child-broker.ts';
import { PlainClient } from '../support/plain-client.ts';
import { requestFrame } from '../support/requests.ts';
import { writeUnknownMetadata } from '../support/unknown-metadata.ts';

describe('the command', function () {
  this.timeout(30_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-cli-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('says in one line where it is, where the data is, how long it took and what differs from Apache Kafka', async () => {
    const child = runCommand([
      'start',
      '--port',
      '0',
      '--data-dir',
      join(folder, 'd'),
      '--topic',
      'orders:3',
      '--topic',
      'plain',
    ]);
    const line = await child.ready;
    expect(line).to.match(
      /^blumfeld is ready on localhost:\d+, data in .*\/d, \d+ ms since the process began \(development defaults: no rebalance delay, one replica; --like-production for Apache Kafka's\)$/,
    );
    child.process.kill('SIGTERM');
    const { code, stdout, stderr } = await child.ended;
    expect([code, stdout, stderr]).to.deep.equal([0, `${line}\n`, '']);
    const data = readdirSync(join(folder, 'd'));
    expect(data).to.include.members([
      '.kafka_cleanshutdown',
      '__cluster_metadata-0',
      'orders-0',
      'orders-1',
      'orders-2',
      'plain-0',
    ]);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops cleanly on ${signal}, also with clients connected`, async () => {
      const child = runCommand(['start', '--port', '0', '--data-dir', folder]);
      const socket = connect(await child.port(), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(requestFrame('apiVersions', 0, 1, {}));
      await new Promise((resolve) => socket.once('data', resolve));
      child.process.kill(signal);
      expect((await child.ended).code).to.equal(0);
      expect(existsSync(join(folder, '.kafka_cleanshutdown'))).to.equal(true);
    });
  }

  it('has what packs with zstd at hand when a topic asks for it, and says nothing about it', async () => {
    const settings = join(folder, 'server.properties');
    writeFileSync(settings, `compression.type=zstd\nlog.dirs=${join(folder, 'd')}\n`);
    const child = runCommand(['start', '--port', '0', '--topic', 'orders', settings]);
    const line = await child.ready;
    child.process.kill('SIGTERM');
    const { code, stdout, stderr } = await child.ended;
    expect([code, stdout, stderr]).to.deep.equal([0, `${line}\n`, '']);
    expect(readdirSync(join(folder, 'd'))).to.include('orders-0');
  });

  it('names the port that is in use and leaves the data alone', async () => {
    const first = runCommand(['start', '--port', '0', '--data-dir', join(folder, 'one')]);
    const port = await first.port();
    const second = runCommand(['start', '--port', String(port), '--data-dir', join(folder, 'two')]);
    const { code, stderr } = await second.ended;
    expect(code).to.equal(1);
    expect(stderr).to.equal(
      `blumfeld: Port ${port} (listener PLAINTEXT) is in use by another process; stop that one or choose another port\n`,
    );
    expect(existsSync(join(folder, 'two'))).to.equal(false);
    first.process.kill('SIGTERM');
    await first.ended;
  });

  it('ends when the metadata log cannot be led, and leaves nothing running', async () => {
    const data = join(folder, 'd');
    await writeUnknownMetadata(data);
    const child = runCommand(['start', '--port', '0', '--data-dir', data]);
    const { code, stderr } = await child.ended;
    expect(code).to.equal(1);
    expect(stderr).to.match(/^blumfeld: .* has metadata\.version 99, and versions 7 to 33 are supported: .*\n$/);
  });

  it('takes settings from the environment, the file and the command line, the later one winning', async () => {
    const file = join(folder, 'server.properties');
    writeFileSync(
      file,
      `node.id=5\nlisteners=PLAINTEXT://127.0.0.1:0\nlog.dirs=${folder}/x,${folder}/y\nnum.partitions=2\nnum.io.threads=9\n`,
    );
    const child = runCommand(['start', file, '--override', 'num.partitions=4', '--like-production'], {
      KAFKA_NUM_PARTITIONS: '3',
      KAFKA_CREATE_TOPICS: 'made',
      KAFKA_HEAP_OPTS: '-Xmx1g',
      CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw',
    });
    expect(await child.ready).to.match(
      /^blumfeld is ready on 127\.0\.0\.1:\d+, data in \S+\/x, \S+\/y, \d+ ms since the process began$/,
    );
    child.process.kill('SIGTERM');
    const { stderr } = await child.ended;
    expect(stderr).to.match(/^\S+ warn num\.io\.threads=9 \(\S+server\.properties\) is not acted on yet\n$/);
    const made = ['x', 'y'].flatMap((name) => readdirSync(join(folder, name)).filter((entry) => entry.startsWith('made-')));
    expect(made.length).to.equal(4);
    const meta = readFileSync(join(folder, 'x', 'meta.properties'), 'utf8');
    expect(meta).to.contain('cluster.id=4L6g3nShT-eMCtK--X86sw').and.to.contain('node.id=5');
  });

  it('takes everything from the environment, as containers give it', async () => {
    const child = runCommand(
      ['start'],
      {
        KAFKA_NODE_ID: '7',
        KAFKA_CFG_LISTENERS: 'PLAINTEXT://127.0.0.1:0',
        KAFKA_LOG_DIRS: join(folder, 'env'),
        KAFKA_CFG_NUM_PARTITIONS: '4',
        KAFKA_LOG_RETENTION_MS: '86400000',
        KAFKA_CREATE_TOPICS: 'defaults,orders:2:1,state:1:1:compact,tuned:1:1:retention.ms=5000',
        KAFKA_HEAP_OPTS: '-Xmx1g',
        KAFKA_SERVICE_HOST: '10.0.0.1',
        KAFKA_PORT: 'tcp://10.0.0.1:9092',
        KAFKA_CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw',
      },
      folder,
    );
    const client = new PlainClient({ host: '127.0.0.1', port: await child.port() });
    const { topics, clusterId, brokers } = await client.call('metadata', { topics: null }, 12, 'test');
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).to.have.deep.members([
      ['defaults', 4],
      ['orders', 2],
      ['state', 1],
      ['tuned', 1],
    ]);
    expect([clusterId, brokers[0]?.nodeId]).to.deep.equal(['4L6g3nShT-eMCtK--X86sw', 7]);
    const resources = ['orders', 'state', 'tuned'].map((resourceName) => ({
      resourceType: 2,
      resourceName,
      configurationKeys: ['cleanup.policy', 'retention.ms'],
    }));
    const { results } = await client.call('describeConfigs', { resources }, 4, 'test');
    expect(results.map(({ configs }) => configs.map(({ value }) => value))).to.deep.equal([
      ['delete', '86400000'],
      ['compact', '86400000'],
      ['delete', '5000'],
    ]);
    client.close();
    child.process.kill('SIGTERM');
    const { code, stderr } = await child.ended;
    expect([code, stderr]).to.deep.equal([0, '']);
  });

  it('names a setting of the environment that does not exist', async () => {
    const { code, stderr } = await runCommand(['start', '--data-dir', folder], { KAFKA_NUM_PARTITION: '4' }).ended;
    expect([code, stderr]).to.deep.equal([
      1,
      'blumfeld: Unknown setting num.partition=4 (environment); did you mean num.partitions?\n',
    ]);
  });

  it('ends at once on a second signal', async () => {
    const child = runCommand(['start', '--port', '0', '--data-dir', folder]);
    const socket = connect(await child.port(), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(requestFrame('apiVersions', 0, 1, {}));
    await new Promise((resolve) => socket.once('data', resolve));
    // Both signals are there before the process can act on either.
    child.process.kill('SIGSTOP');
    child.process.kill('SIGTERM');
    child.process.kill('SIGINT');
    child.process.kill('SIGCONT');
    const { code } = await child.ended;
    expect(code).to.equal(1);
    const again = runCommand(['start', '--port', '0', '--data-dir', folder]);
    await again.ready;
    again.process.kill('SIGTERM');
    expect((await again.ended).code).to.equal(0);
  });

  const refusals: Record<string, readonly [readonly string[], string]> = {
    'an unknown option': [['--prot', '1'], "Unknown option '--prot'; see blumfeld --help"],
    'a port that is none': [['--port', 'x'], '--port x is no port; use 0 to 65535'],
    'a misspelt setting': [
      ['--override', 'num.partition=1'],
      'Unknown setting num.partition=1 (--override); did you mean num.partitions?',
    ],
    'a malformed setting': [
      ['--override', 'num.partitions=x'],
      'Invalid value x for configuration num.partitions: Not a number of type INT',
    ],
    'a missing file': [['nothing.properties'], 'nothing.properties cannot be read: ENOENT'],
    'a topic that cannot be': [['--port', '0', '--topic', 'a/b'], 'Topic a/b cannot be created: '],
    'another role': [['--override', 'process.roles=broker'], 'process.roles=broker is not there yet'],
  };
  for (const [what, [args, sentence]] of Object.entries(refusals)) {
    it(`refuses ${what} in one sentence`, async () => {
      const { code, stdout, stderr } = await runCommand(['start', '--data-dir', join(folder, 'd'), ...args], {}, folder).ended;
      expect([code, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.contain(`blumfeld: ${sentence}`);
      expect(stderr.trim().split('\n').length).to.equal(1);
    });
  }

  it('helps, tells its version, and knows no other command', async () => {
    const [help, version, unknown] = await Promise.all(
      [['--help'], ['--version'], ['fly']].map((args) => runCommand(args).ended),
    );
    expect([help?.code, version?.code, unknown?.code]).to.deep.equal([0, 0, 1]);
    expect(help?.stdout).to.contain('blumfeld start').and.to.contain('blumfeld dump');
    expect(version?.stdout).to.match(/^blumfeld \d+\.\d+\.\d+\n$/);
    expect(unknown?.stderr).to.contain('Unknown command fly');
  });
});
