/**
 * The scenarios of compat/scenarios.json over any client that has the calls used here. A record is `{ key, value, headers, time }`: Buffers or null, headers as pairs,
 * milliseconds. A reader has `records`, an array it adds to as they come, and `close()`; a member of a group is a reader with `assigned()` and `commit(...)`.
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
