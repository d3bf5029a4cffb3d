/** kafkajs reads: from both ends, from anywhere between, alone and in groups whose members come, go and come back, across restarts of the broker. */
import { expect } from 'chai';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { startBroker, type BrokerUnderTest } from '../support/broker-under-test.ts';
import { byValue, client, eventually, join, latch, readAll, unique, type Member } from '../support/kafkajs.ts';

describe('kafkajs consumes', function () {
  this.timeout(60_000);
  let broker: BrokerUnderTest;
  let kafka: Kafka;
  let producer: Producer;
  let admin: Admin;

  before(async () => {
    broker = await startBroker();
    kafka = client(broker.bootstrapServers);
    producer = kafka.producer({ allowAutoTopicCreation: false });
    admin = kafka.admin();
    await Promise.all([producer.connect(), admin.connect()]);
  });

  after(async () => {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    await broker.stop();
  });

  async function createTopic(name: string, numPartitions = 1): Promise<string> {
    const topic = unique(name);
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] });
    return topic;
  }

  const send = (topic: string, values: readonly string[], partition = 0): Promise<unknown> =>
    producer.send({ topic, messages: values.map((value) => ({ value, partition })) });

  const numbered = (from: number, to: number, prefix = ''): string[] =>
    Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`);
  const valuesOf = (member: Member): (string | undefined)[] => member.received.map((record) => record.value?.toString());
  const commits = async (groupId: string, topic: string): Promise<Record<number, string>> => {
    const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return Object.fromEntries((answer?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
  };

  it('from earliest what was there before, from latest only what comes', async () => {
    const topic = await createTopic('ends');
    await send(topic, numbered(0, 100));
    const early = await join(kafka, unique('early'), { topics: [topic], fromBeginning: true });
    const late = await join(kafka, unique('late'), { topics: [topic], fromBeginning: false });
    await early.until(() => early.received.length === 100);
    // The position of a group that starts at the end is settled by its first fetch, which nothing announces but the answer to it.
    const settled = latch();
    late.consumer.on(late.consumer.events.FETCH, () => settled.release());
    await settled.promise;
    await send(topic, numbered(100, 150));
    await Promise.all([early.until(() => early.received.length === 150), late.until(() => late.received.length === 50)]);
    expect(valuesOf(early)).to.deep.equal(numbered(0, 150));
    expect(valuesOf(late)).to.deep.equal(numbered(100, 150));
    await Promise.all([early.stop(), late.stop()]);
  });

  it('large records and many partitions whole', async () => {
    const topic = await createTopic('large', 6);
    const values = Array.from({ length: 60 }, (_, i) => String(i).padEnd(100_000, '.'));
    for (const [i, value] of values.entries()) await send(topic, [value], i % 6);
    const received = await readAll(kafka, [topic], values.length);
    expect(received.map(byValue).sort()).to.deep.equal([...values].sort());
  });

  it('from where it seeks', async () => {
    const topic = await createTopic('seek');
    await send(topic, numbered(0, 50));
    const member = await join(kafka, unique('seek'), { topics: [topic] });
    await member.until(() => member.received.length === 50);
    member.consumer.seek({ topic, partition: 0, offset: '45' });
    await member.until(() => member.received.length === 55);
    expect(valuesOf(member).slice(50)).to.deep.equal(numbered(45, 50));
    await member.stop();
  });

  it('nothing from what is paused, and all of it once resumed', async () => {
    const topic = await createTopic('pause', 2);
    const member = await join(kafka, unique('pause'), { topics: [topic] });
    await Promise.all([send(topic, ['a'], 0), send(topic, ['b'], 1)]);
    await member.until(() => member.received.length === 2);
    member.consumer.pause([{ topic, partitions: [0] }]);
    await Promise.all([send(topic, numbered(0, 10, 'held '), 0), send(topic, numbered(0, 10, 'free '), 1)]);
    await member.until(() => member.received.length === 12);
    expect(member.received.slice(2).every((record) => record.partition === 1)).to.equal(true);
    member.consumer.resume([{ topic, partitions: [0] }]);
    await member.until(() => member.received.length === 22);
    expect(valuesOf(member).slice(12)).to.deep.equal(numbered(0, 10, 'held '));
    await member.stop();
  });

  it('in a group whose members share the partitions as they join and leave', async () => {
    const topic = await createTopic('members', 6);
    const groupId = unique('members');
    const shares = (members: readonly Member[]): number[] => members.map((member) => member.assigned()[topic]?.length ?? 0);
    const whole = (members: readonly Member[]): boolean =>
      members
        .flatMap((member) => member.assigned()[topic] ?? [])
        .sort((a, b) => a - b)
        .join() === '0,1,2,3,4,5' && Math.max(...shares(members)) - Math.min(...shares(members)) <= 1;
    const settled = (members: readonly Member[]): Promise<unknown> =>
      Promise.all(members.map((member) => member.until(() => whole(members))));

    const first = await join(kafka, groupId, { topics: [topic] });
    await settled([first]);
    const second = await join(kafka, groupId, { topics: [topic] });
    await settled([first, second]);
    const third = await join(kafka, groupId, { topics: [topic] });
    await settled([first, second, third]);

    const described = (await admin.describeGroups([groupId])).groups[0];
    expect(described).to.include({ groupId, state: 'Stable', protocolType: 'consumer', protocol: 'RoundRobinAssigner' });
    expect(described?.members).to.have.length(3);

    for (let partition = 0; partition < 6; partition++) await send(topic, numbered(0, 20, `${partition}:`), partition);
    const total = (): number => first.received.length + second.received.length + third.received.length;
    await Promise.race([first, second, third].map((member) => member.until(() => total() >= 120)));
    const all = [first, second, third].flatMap((member) => valuesOf(member));
    expect(new Set(all).size).to.equal(120);

    await third.stop();
    await settled([first, second]);
    await second.stop();
    await settled([first]);
    await send(topic, ['last'], 5);
    await first.until(() => valuesOf(first).includes('last'));
    await first.stop();
    await eventually(
      () => admin.describeGroups([groupId]),
      ({ groups }) => groups[0]?.state === 'Empty',
    );
  });

  it('on from the committed offset, and from nowhere else', async () => {
    const topic = await createTopic('commits', 2);
    const groupId = unique('commits');
    await Promise.all([send(topic, numbered(0, 30), 0), send(topic, numbered(0, 30), 1)]);
    const first = await join(kafka, groupId, { topics: [topic], autoCommit: false });
    await first.until(() => first.received.length === 60);
    await first.consumer.commitOffsets([
      { topic, partition: 0, offset: '10', metadata: 'ten' },
      { topic, partition: 1, offset: '30' },
    ]);
    await first.stop();
    expect(await commits(groupId, topic)).to.deep.equal({ 0: '10', 1: '30' });
    const second = await join(kafka, groupId, { topics: [topic] });
    await second.until(() => second.received.length === 20);
    expect(valuesOf(second)).to.deep.equal(numbered(10, 30));
    await second.stop();
    expect(await commits(groupId, topic)).to.deep.equal({ 0: '30', 1: '30' });
  });

  it('on after the broker was stopped and started, members and all', async function () {
    const topic = await createTopic('restart', 3);
    const groupId = unique('restart');
    for (let partition = 0; partition < 3; partition++) await send(topic, numbered(0, 40, `${partition}:`), partition);
    const gone = unique('gone');
    const before = await join(kafka, gone, { topics: [topic] });
    await before.until(() => before.received.length === 120);
    await before.stop();
    const staying = await join(kafka, groupId, { topics: [topic] });
    await staying.until(() => staying.received.length === 120);

    if (!(await broker.restart())) {
      await staying.stop();
      this.skip();
    }
    for (let partition = 0; partition < 3; partition++) await send(topic, numbered(40, 50, `${partition}:`), partition);
    await staying.until(() => new Set(valuesOf(staying)).size === 150);
    await staying.stop();

    const after = await join(kafka, gone, { topics: [topic] });
    await after.until(() => after.received.length === 30);
    expect(new Set(valuesOf(after))).to.deep.equal(new Set([0, 1, 2].flatMap((partition) => numbered(40, 50, `${partition}:`))));
    await after.stop();
    const whole = await readAll(kafka, [topic], 150);
    for (let partition = 0; partition < 3; partition++) {
      const values = whole.filter((record) => record.partition === partition).map((record) => record.value?.toString());
      expect(values).to.deep.equal(numbered(0, 50, `${partition}:`));
    }
  });
});
