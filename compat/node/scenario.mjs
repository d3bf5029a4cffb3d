/**
 * The scenarios of compat/scenarios.json over any client that has the calls used here. A record is `{ key, value, headers, time }`: Buffers or null, headers as pairs,
 * milliseconds. A reader has `records`, an array it adds to as they come, and `close()`; a member of a group is a reader with `assigned()` and `commit(...)`.
 * A transactional producer has `begin()`, `send(topic, partition, records)`, `sendOffset(member, group, topic, offset)` (of partition 0), `end(commit)` and `close()`.
 * `sendable` of a client turns a record that it does not send as it is into the nearest that it sends.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export const { BOOTSTRAP, PREFIX } = process.env;
export const [LATEST, EARLIEST] = [-1, -2];
const COUNT = 100;
const BASE_TIME = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

export class NoSuchCall extends Error {}
export class TopicExists extends Error {}

const pair = ([name, value]) => [name, value === null ? null : Buffer.from(value)];

/** Nulls, empties, multi-byte text, bytes that are no text, headers that repeat. */
function record(i) {
  const key = i % 5 === 0 ? null : Buffer.from(i % 10 === 1 ? '' : `key-${i % 10}`);
  const text = Buffer.concat([Buffer.from(`value ${i} ß値🜁 `.repeat(i)), Buffer.from([0, 0xff])]);
  const value = i % 7 === 0 ? null : i % 7 === 1 ? Buffer.alloc(0) : text;
  const headers = [
    [],
    [['h', `v${i}`]],
    [['dup', '1'], ['dup', '2'], ['utf-ß', '値']],
    [['empty', ''], ['null', null]],
  ][i % 4];
  return { key, value, headers: headers.map(pair), time: BASE_TIME + i * 1000 };
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

const sameBytes = (a, b) => (a === null || b === null ? a === b : Buffer.compare(a, b) === 0);

function same(read, sent) {
  check(read.length === sent.length, `${read.length} records, ${sent.length} expected`);
  for (const [i, one] of read.entries()) {
    const other = sent[i];
    const headers = one.headers.length === other.headers.length && one.headers.every(([name, value], at) => name === other.headers[at][0] && sameBytes(value, other.headers[at][1]));
    const equal = sameBytes(one.key, other.key) && sameBytes(one.value, other.value) && one.time === other.time && headers;
    check(equal, `record ${i} is ${JSON.stringify(one).slice(0, 300)}, sent was ${JSON.stringify(other).slice(0, 300)}`);
  }
}

/** Waits until `condition` holds, 40 seconds at most. */
export async function until(what, condition) {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    check(Date.now() < deadline, what());
    await sleep(20);
  }
}

async function taken(reader, count) {
  await until(() => `${reader.records.length} records, ${count} expected`, () => reader.records.length >= count);
  return reader.records;
}

function scenarios(client) {
  const records = Array.from({ length: COUNT }, (_, i) => client.sendable(record(i)));
  const named = (name) => `${PREFIX}-${name}`;

  async function topic(name, partitions = 1) {
    await client.createTopic(named(name), partitions, { 'retention.ms': '-1' });
    return named(name);
  }

  const produce = (name, all = records, partition = 0, { codec = 'none', acks = 'all', idempotent = false } = {}) => client.produce(name, partition, all, codec, acks, idempotent);

  async function filled(name) {
    const full = await topic(name);
    await produce(full);
    return full;
  }

  async function read(name, offset, count) {
    const reader = await client.consume(name, 0, offset);
    try {
      return [...(await taken(reader, count))];
    } finally {
      await reader.close();
    }
  }

  const roundTrip = (name, options) => async () => {
    const full = await topic(name);
    const offset = await produce(full, records, 0, options);
    same(await read(full, EARLIEST, COUNT), records);
    check(options.acks === '0' || offset === 0, `the first offset told is ${offset}`);
  };

  async function create() {
    const name = await topic('create', 3);
    const refused = await topic('create', 3).catch((error) => error);
    check(client.isTopicExists(refused), `second creation: ${refused}`);
    check((await client.topics()).includes(name), 'not listed');
  }

  async function describe() {
    const { leaders, brokers } = await client.topic(named('create'));
    check(brokers === 1, `${brokers} brokers`);
    check(leaders.length === 3 && new Set(leaders).size === 1, `leaders ${leaders}`);
    check((await client.topicConfig(named('create'), 'retention.ms')) === '-1', 'retention.ms');
  }

  async function alterConfig() {
    await client.alterTopicConfig(named('create'), 'retention.ms', '3600000');
    check((await client.topicConfig(named('create'), 'retention.ms')) === '3600000', 'retention.ms');
  }

  async function addPartitions() {
    await client.addPartitions(named('create'), 5);
    check((await client.topic(named('create'))).leaders.length === 5, 'partitions');
  }

  async function large() {
    const name = await topic('large');
    const sent = [{ key: null, value: randomBytes(900_000), headers: [], time: BASE_TIME }];
    await produce(name, sent);
    same(await read(name, EARLIEST, 1), sent);
  }

  async function many() {
    const name = await topic('many', 4);
    const text = (partition, i) => `${partition} ${i} `.repeat(125);
    for (let partition = 0; partition < 4; partition++) {
      for (let start = 0; start < 2500; start += 500) {
        await produce(name, Array.from({ length: 500 }, (_, i) => ({ key: null, value: Buffer.from(text(partition, start + i)), headers: [], time: BASE_TIME })), partition);
      }
    }
    const member = await client.join(named('many'), name, 'one');
    const next = [0, 0, 0, 0];
    for (const { value } of await taken(member, 10_000)) {
      const [partition, i] = String(value).split(' ').map(Number);
      check(i === next[partition]++, `partition ${partition}: record ${i} came where ${next[partition] - 1} was next`);
      check(String(value) === text(partition, i), `value ${String(value).slice(0, 50)}`);
    }
    check(next.every((n) => n === 2500), `${next} records`);
    await member.close();
  }

  const fromOffset = async () => same(await read(await filled('from-offset'), 40, COUNT - 40), records.slice(40));

  async function fromEnd() {
    const name = await filled('from-end');
    const reader = await client.consume(name, 0, LATEST);
    await sleep(2000);
    check(reader.records.length === 0, 'a record from before');
    await produce(name, records.slice(7, 8));
    same(await taken(reader, 1), records.slice(7, 8));
    await reader.close();
  }

  async function fromTimestamp() {
    const name = await filled('from-timestamp');
    const offset = await client.offsetAt(name, 0, BASE_TIME + 49_500);
    check(offset === 50, `offset ${offset}`);
    same(await read(name, offset, COUNT - 50), records.slice(50));
  }

  async function listOffsets() {
    const name = await filled('list-offsets');
    for (const [at, expected] of [[EARLIEST, 0], [LATEST, COUNT], [BASE_TIME + 10_000_000, -1]]) {
      const offset = await client.offsetAt(name, 0, at);
      check(offset === expected, `${at}: offset ${offset}, ${expected} expected`);
    }
  }

  async function deleteRecords() {
    const name = await filled('delete-records');
    await client.deleteRecords(name, 0, 30);
    const offset = await client.offsetAt(name, 0, EARLIEST);
    check(offset === 30, `earliest is ${offset}`);
    same(await read(name, EARLIEST, COUNT - 30), records.slice(30));
  }

  async function commitResume() {
    const [name, group] = [await filled('commit-resume'), named('commit-resume')];
    const one = await client.join(group, name, 'one');
    same(await taken(one, COUNT), records);
    await one.commit(name, 0, 60);
    await one.close();
    const two = await client.join(group, name, 'two');
    same(await taken(two, COUNT - 60), records.slice(60));
    await two.close();
  }

  async function groupJoinLeave() {
    const [name, group] = [await topic('group-join-leave', 4), named('group-join-leave')];
    const members = [];
    const shares = () => members.map((one) => one.assigned());
    const seen = () => new Set(members.flatMap((one) => one.records.map(({ value }) => String(value)))).size;
    const shared = (what, ...expected) => until(() => `${what}: shares ${shares()}`, () => expected.every((n, i) => shares()[i] === n));
    const send = async (word, count) => {
      for (let partition = 0; partition < 4; partition++) {
        await produce(name, Array.from({ length: count }, (_, i) => ({ key: null, value: Buffer.from(`${word}-${partition}-${i}`), headers: [], time: BASE_TIME })), partition);
      }
    };
    members.push(await client.join(group, name, 'one'));
    await shared('first alone', 4);
    members.push(await client.join(group, name, 'two'));
    await shared('second joined', 2, 2);
    await send('both', 25);
    await until(() => `both read: ${seen()} records`, () => seen() === 100);
    await members[1].close();
    await shared('second left', 4);
    await send('late', 1);
    await until(() => `first reads on: ${seen()} records`, () => seen() === 104);
    await members[0].close();
  }

  async function describeGroup() {
    const [name, group] = [await filled('describe-group'), named('describe-group')];
    const one = await client.join(group, name, 'describe-me');
    await taken(one, COUNT);
    await one.commit(name, 0, COUNT);
    check((await client.groups()).includes(group), 'not listed');
    const { state, members } = await client.group(group);
    check(state.toLowerCase() === 'stable', `state ${state}`);
    check(JSON.stringify(members) === JSON.stringify([{ clientId: 'describe-me', topic: name, partitions: [0] }]), `members ${JSON.stringify(members)}`);
    const offset = await client.committed(group, name, 0);
    check(offset === COUNT, `committed ${offset}`);
    await one.close();
  }

  async function deleteGroup() {
    await client.deleteGroup(named('describe-group'));
    check(!(await client.groups()).includes(named('describe-group')), 'still listed');
  }

  async function deleteTopic() {
    const name = await topic('delete-topic');
    await client.deleteTopic(name);
    check(!(await client.topics()).includes(name), 'still listed');
  }

  async function producer(name, timeoutMs = 30_000) {
    if (client.transactional === undefined) throw new NoSuchCall('it has no transactions');
    return client.transactional(named(name), timeoutMs);
  }

  async function isolated(isolation, name, count, partition = 0) {
    const reader = await client.consumeIsolated(name, partition, isolation);
    try {
      return [...(await taken(reader, count))];
    } finally {
      await reader.close();
    }
  }

  async function nothingCommitted(name) {
    const reader = await client.consumeIsolated(name, 0, 'read_committed');
    await sleep(1000);
    check(reader.records.length === 0, `${reader.records.length} records are seen before they are committed`);
    await reader.close();
  }

  async function refused(transactional) {
    const committed = await transactional.end(true).then(
      () => true,
      () => false,
    );
    check(!committed, 'a transaction that cannot be committed was');
  }

  async function txnCommit() {
    const one = await producer('txn-commit');
    const name = await topic('txn-commit', 2);
    await one.begin();
    for (const partition of [0, 1]) await one.send(name, partition, records);
    same(await isolated('read_uncommitted', name, COUNT), records);
    await nothingCommitted(name);
    await one.end(true);
    for (const partition of [0, 1]) {
      same(await isolated('read_committed', name, COUNT, partition), records);
      const end = await client.offsetAt(name, partition, LATEST);
      check(end === COUNT + 1, `the end is ${end}, a marker stands behind ${COUNT} records`);
    }
    await one.close();
  }

  async function txnAbort() {
    const one = await producer('txn-abort');
    const name = await topic('txn-abort');
    await one.begin();
    await one.send(name, 0, records.slice(0, 40));
    await one.end(false);
    await one.begin();
    await one.send(name, 0, records.slice(40));
    await one.end(true);
    same(await isolated('read_committed', name, 60), records.slice(40));
    same(await isolated('read_uncommitted', name, COUNT), records);
    await one.close();
  }

  async function txnFenced() {
    const one = await producer('txn-fenced');
    const name = await topic('txn-fenced');
    await one.begin();
    await one.send(name, 0, records.slice(0, 10));
    const two = await producer('txn-fenced');
    await two.begin();
    await two.send(name, 0, records.slice(10, 20));
    await refused(one);
    await two.end(true);
    same(await isolated('read_committed', name, 10), records.slice(10, 20));
    await two.close();
    await one.close();
  }

  const committedOrNone = async (group, name) => client.committed(group, name, 0).catch(() => -1);

  async function txnOffsets() {
    const one = await producer('txn-offsets');
    const [source, target, group] = [await filled('txn-offsets'), await topic('txn-offsets-copy'), named('txn-offsets')];
    const member = await client.join(group, source, 'one');
    const read = [...(await taken(member, COUNT))];
    same(read, records);
    for (const commit of [false, true]) {
      await one.begin();
      await one.send(target, 0, read);
      await one.sendOffset(member, group, source, commit ? COUNT : 50);
      const early = await committedOrNone(group, source);
      check(early < 0, `${early} is committed before the transaction is`);
      await one.end(commit);
    }
    const deadline = Date.now() + 60_000;
    for (let offset = -1; offset !== COUNT; offset = await committedOrNone(group, source)) {
      check(Date.now() < deadline, `committed ${offset}`);
      await sleep(20);
    }
    same(await isolated('read_committed', target, COUNT), records);
    await one.close();
    await member.close();
  }

  async function txnTimeout() {
    const [slow, other] = [await producer('txn-timeout', 4000), await producer('txn-timeout-other')];
    const name = await topic('txn-timeout');
    await slow.begin();
    await slow.send(name, 0, records.slice(0, 10));
    await other.begin();
    await other.send(name, 0, records.slice(10, 20));
    await other.end(true);
    same(await isolated('read_committed', name, 10), records.slice(10, 20));
    await refused(slow);
    await other.close();
    await slow.close();
  }

  return {
    create,
    describe,
    'alter-config': alterConfig,
    'add-partitions': addPartitions,
    ...Object.fromEntries(['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => [codec, roundTrip(codec, { codec })])),
    ...Object.fromEntries(['0', '1', 'all'].map((acks) => [`acks-${acks}`, roundTrip(`acks-${acks}`, { acks })])),
    idempotent: roundTrip('idempotent', { idempotent: true }),
    large,
    many,
    'from-offset': fromOffset,
    'from-end': fromEnd,
    'from-timestamp': fromTimestamp,
    'list-offsets': listOffsets,
    'delete-records': deleteRecords,
    'commit-resume': commitResume,
    'group-join-leave': groupJoinLeave,
    'describe-group': describeGroup,
    'delete-group': deleteGroup,
    'delete-topic': deleteTopic,
    'txn-commit': txnCommit,
    'txn-abort': txnAbort,
    'txn-fenced': txnFenced,
    'txn-offsets': txnOffsets,
    'txn-timeout': txnTimeout,
  };
}

/** Runs every scenario, or those named on the command line, and ends the process: what a client leaves running is no matter here. */
export async function run(client) {
  const chosen = process.argv.slice(2);
  for (const [name, scenario] of Object.entries(scenarios(client))) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    try {
      await scenario();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`${error instanceof NoSuchCall ? 'n/a' : 'FAIL'} ${name}: ${String(error.message).replaceAll('\n', ' ').slice(0, 700)}`);
    }
  }
  process.exit(0);
}
