import { expect } from 'chai';
import { DirectoryLogs } from '../../src/log/directory-logs.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import type { Log } from '../../src/log/log.ts';
import type { LogOpener, Opening } from '../../src/log/log-opener.ts';
import { TailMemory } from '../../src/log/tail-memory.ts';
import { openLog } from './log-fixture.ts';

interface Fixture {
  readonly logs: DirectoryLogs;
  /** Names of the directories that were opened. */
  readonly opened: string[];
  readonly tailMemory: TailMemory;
}

function fixture(fails = false): Fixture {
  const opened: string[] = [];
  const opener = {
    async open(name: string, { topic, partition }: Opening, tailMemory: TailMemory): Promise<Log> {
      opened.push(name);
      if (fails) throw new Error('no disk');
      return (await openLog({}, { topic, partition, directory: `/data/${name}`, tailMemory })).log;
    },
  } as unknown as LogOpener;
  const tailMemory = new TailMemory();
  return { logs: new DirectoryLogs(opener, tailMemory), opened, tailMemory };
}

const opening = (topic: string, partition = 0): Opening => ({
  topic,
  partition,
  topicId: null,
  config: DEFAULT_LOG_CONFIG,
  cleanShutdown: false,
});

const named = (logs: Iterable<Log>): string[] => [...logs].map(({ topic, partition }) => `${topic}-${partition}`);

describe('The logs of a data directory', () => {
  it('are opened once, however many ask', async () => {
    const { logs, opened } = fixture();
    const first = logs.open(opening('orders'));
    expect(logs.replicaCount, 'one is being made').to.equal(1);
    const [one, other] = await Promise.all([first, logs.open(opening('orders'))]);
    expect(one).to.equal(other);
    expect(await logs.open(opening('orders'))).to.equal(one);
    expect(await logs.opened('orders', 0)).to.equal(one);
    expect(opened).to.deep.equal(['orders-0']);
    expect(logs.replicaCount).to.equal(1);
  });

  it('may be opened again when that has failed', async () => {
    const { logs, opened } = fixture(true);
    for (let i = 0; i < 2; i++) expect(await logs.open(opening('orders')).catch(String)).to.equal('Error: no disk');
    await logs.settled();
    expect(opened).to.deep.equal(['orders-0', 'orders-0']);
    expect([logs.get('orders', 0), logs.replicaCount]).to.deep.equal([undefined, 0]);
  });

  it('are replaced by copies, of which there is one, and which are no logs of partitions before', async () => {
    const { logs } = fixture();
    const log = await logs.open(opening('orders'));
    const copy = await logs.openCopy(opening('orders'), 'orders-0.x-future');
    expect(await logs.openCopy(opening('orders'), 'orders-0.y-future').catch(String)).to.match(/Duplicate log directories found/);
    expect([named(logs.ofPartitions()), named(logs.ofReplicas()), logs.list().length]).to.deep.equal([
      ['orders-0'],
      ['orders-0', 'orders-0'],
      2,
    ]);
    logs.adopt(copy);
    expect(logs.get('orders', 0)).to.equal(copy);
    expect(logs.copies.get('orders', 0)).to.equal(undefined);
    logs.release(log);
    expect(logs.get('orders', 0), 'released is what was replaced').to.equal(copy);
    logs.release(copy);
    expect(logs.list()).to.deep.equal([]);
  });

  it('of partitions are all but the metadata log', async () => {
    const { logs } = fixture();
    await logs.open(opening('__cluster_metadata'));
    await logs.open(opening('orders', 3));
    expect([named(logs.values()), named(logs.ofPartitions()), logs.replicaCount]).to.deep.equal([
      ['__cluster_metadata-0', 'orders-3'],
      ['orders-3'],
      1,
    ]);
  });
});
