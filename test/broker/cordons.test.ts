/** Directories that keep what they have and get no new partitions (KIP-1066), as a broker's clients see them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { handlersOf } from '../support/handlers.ts';

describe('cordoned directories', () => {
  let folder = '';
  let dirs: readonly string[] = [];
  const brokers: Broker[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-cordons-'));
    dirs = ['one', 'two', 'three'].map((name) => join(folder, name));
  });
  afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (settings: Record<string, string> = {}): Promise<Broker> => {
    const broker = await Broker.start({ port: 0, settings: { 'log.dirs': dirs.join(','), ...settings } });
    brokers.push(broker);
    return broker;
  };

  /** Of each directory whether it is cordoned, and what is in it. */
  const shown = async (broker: Broker): Promise<readonly (readonly [boolean, string])[]> => {
    const { results } = await handlersOf(broker)('describeLogDirs', 5, { topics: null });
    return results.map(({ isCordoned, topics }) => [
      isCordoned,
      topics
        .flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`))
        .sort()
        .join(' '),
    ]);
  };

  const cordon = async (broker: Broker, value: string | null): Promise<void> => {
    const configs = [{ name: 'cordoned.log.dirs', configOperation: value === null ? 1 : 0, value }];
    const resources = [{ resourceType: 4, resourceName: '1', configs }];
    const { responses } = await handlersOf(broker)('incrementalAlterConfigs', 1, { resources, validateOnly: false });
    expect(responses[0]?.errorMessage).to.equal(null);
  };

  const create = async (broker: Broker, name: string, numPartitions: number): Promise<number | undefined> => {
    const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
    const answer = await handlersOf(broker)('createTopics', 7, { topics, timeoutMs: 10_000, validateOnly: false });
    return answer.topics[0]?.errorCode;
  };

  const move = async (broker: Broker, name: string, path: string | undefined): Promise<number | undefined> => {
    const moves = { dirs: [{ path: path ?? '', topics: [{ name, partitions: [0] }] }] };
    const { results } = await handlersOf(broker)('alterReplicaLogDirs', 2, moves);
    return results[0]?.partitions[0]?.errorCode;
  };

  it('get nothing new at once, neither by placement nor by a move, and keep what they have', async () => {
    const broker = await start();
    expect(await create(broker, 'a', 3)).to.equal(0);
    await cordon(broker, dirs.slice(0, 2).join(','));
    expect(await create(broker, 'b', 2)).to.equal(0);
    expect(await shown(broker)).to.deep.equal([
      [true, 'a-0'],
      [true, 'a-1'],
      [false, 'a-2 b-0 b-1'],
    ]);
    expect(await move(broker, 'a', dirs[1])).to.equal(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await move(broker, 'a', dirs[0])).to.equal(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await move(broker, 'nope', dirs[0])).to.equal(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await move(broker, 'nope', dirs[2])).to.equal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    await cordon(broker, '*');
    expect(await create(broker, 'c', 1)).to.equal(ErrorCode.INVALID_REPLICATION_FACTOR);
    await cordon(broker, null);
    expect(await create(broker, 'c', 1)).to.equal(0);
    expect(await move(broker, 'c', dirs[1])).to.equal(ErrorCode.NONE);
  });

  it('are so from the start where the settings say it, or where it was said before', async () => {
    const first = await start({ 'cordoned.log.dirs': dirs[1] ?? '' });
    expect((await shown(first)).map(([isCordoned]) => isCordoned)).to.deep.equal([false, true, false]);
    await cordon(first, `${dirs[0]},${dirs[2]}`);
    await first.stop();
    const second = await start({ 'cordoned.log.dirs': dirs[1] ?? '' });
    expect(await create(second, 'a', 2)).to.equal(0);
    expect(await shown(second)).to.deep.equal([
      [true, ''],
      [false, 'a-0 a-1'],
      [true, ''],
    ]);
  });

  it('have to be among log.dirs', async () => {
    const error: unknown = await start({ 'cordoned.log.dirs': '/nowhere' }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(SettingsError);
    expect(String(error)).to.contain('Missing entries : /nowhere; name directories as log.dirs has them, or * alone for all');
  });
});
