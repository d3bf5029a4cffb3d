/** All that a client can find out about a data directory's content, as text, so that two owners of it can be compared. */
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { CLIENT, coordinated, fetched, placesOf, settled } from './calls.ts';

export type Facts = ReadonlyMap<string, string>;

/** What to look for beside topics, which are all found. */
export interface Known {
  readonly groups: readonly string[];
  readonly transactionalIds: readonly string[];
}

const [TOPIC, BROKER, GROUP] = [2, 4, 32];
/** ConfigSource: topic, dynamic broker, dynamic default broker, group. */
const SET_BY_CLIENTS: readonly number[] = [1, 2, 3, 8];

/** Everything that a client can find out, each fact by a name of its own. Of a compacted topic only the latest value of each key, since it may be cleaned at any time. */
export async function factsOf(client: PlainClient, known: Known): Promise<Facts> {
  const facts = new Map<string, string>();
  const { topics, clusterId } = await client.call('metadata', { topics: null }, 12, CLIENT);
  facts.set('cluster', clusterId ?? '');
  facts.set('configs of all brokers', await configsOf(client, BROKER, ''));
  facts.set('configs of the broker', await configsOf(client, BROKER, '1'));
  const places = await placesOf(client);
  for (const { name, topicId, partitions } of topics) {
    if (name === null || name.startsWith('__')) continue;
    facts.set(`topic ${name}`, `${topicId} ${partitions.length}`);
    const configs = await configsOf(client, TOPIC, name);
    facts.set(`configs of ${name}`, configs);
    const compacted = /cleanup\.policy=\S*compact/.test(configs);
    for (const { partitionIndex } of partitions) {
      facts.set(`directory of ${name}-${partitionIndex}`, places.get(`${name}-${partitionIndex}`) ?? 'none');
      await factsOfLog(client, name, partitionIndex, compacted, facts);
    }
  }
  for (const groupId of known.groups) {
    facts.set(`offsets of ${groupId}`, await offsetsOf(client, groupId));
    facts.set(`members of ${groupId}`, await membersOf(client, groupId));
    facts.set(`configs of ${groupId}`, await configsOf(client, GROUP, groupId));
  }
  for (const id of known.transactionalIds) facts.set(`transaction of ${id}`, await transactionOf(client, id));
  return facts;
}

/** What somebody has set, not what is so by default. */
async function configsOf(client: PlainClient, resourceType: number, resourceName: string): Promise<string> {
  const request = { resources: [{ resourceType, resourceName, configurationKeys: null }] };
  const { results } = await client.call('describeConfigs', request, 4, CLIENT);
  const own = (results[0]?.configs ?? []).filter(({ configSource }) => SET_BY_CLIENTS.includes(configSource));
  return own
    .map((config) => `${config.name}=${config.value}`)
    .sort()
    .join(' ');
}

async function offsetAt(
  client: PlainClient,
  topic: string,
  index: number,
  timestamp: bigint,
  isolationLevel: number,
): Promise<number> {
  const request = {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: topic, partitions: [{ partitionIndex: index, currentLeaderEpoch: -1, timestamp }] }],
  };
  let offset = -1;
  await settled(`listOffsets of ${topic}-${index}`, async () => {
    const found = (await client.call('listOffsets', request, 7, CLIENT)).topics[0]?.partitions[0];
    offset = Number(found?.offset);
    return found?.errorCode ?? -1;
  });
  return offset;
}

async function factsOfLog(
  client: PlainClient,
  topic: string,
  index: number,
  compacted: boolean,
  facts: Map<string, string>,
): Promise<void> {
  const log = `${topic}-${index}`;
  const first = await offsetAt(client, topic, index, -2n, 0);
  const end = await offsetAt(client, topic, index, -1n, 0);
  facts.set(`range of ${log}`, `${first} to ${end}, stable to ${await offsetAt(client, topic, index, -1n, 1)}`);
  const latest = new Map<string, string>();
  const aborted = new Set<string>();
  for (let offset = first; offset < end; ) {
    const found = await fetched(client, topic, index, offset);
    for (const { producerId, firstOffset } of found.aborted) aborted.add(`${producerId} from ${firstOffset}`);
    for (const record of found.records) {
      const headers = record.headers.map(({ key, value }) => `${key}=${value?.toString('hex')}`).join(',');
      const key = record.key?.toString('base64') ?? 'null';
      const value = record.value?.toString('base64') ?? 'null';
      if (!compacted) facts.set(`record ${record.offset} of ${log}`, `${record.timestamp} ${key} ${value} ${headers}`);
      else if (record.value === null) latest.delete(key);
      else latest.set(key, `${record.timestamp} ${value} ${headers}`);
    }
    if (found.next <= offset) throw new Error(`${log} ends at ${offset} instead of ${end}`);
    offset = found.next;
  }
  facts.set(`aborted in ${log}`, [...aborted].sort().join(', '));
  for (const [key, value] of latest) facts.set(`latest of ${key} in ${log}`, value);
}

async function offsetsOf(client: PlainClient, groupId: string): Promise<string> {
  let found = '';
  await coordinated(client, groupId, 0);
  await settled(`offsetFetch of ${groupId}`, async () => {
    const request = { groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }], requireStable: true };
    const group = (await client.call('offsetFetch', request, 9, CLIENT)).groups[0];
    found = (group?.topics ?? [])
      .flatMap(({ name, partitions }) => partitions.map((p) => `${name}-${p.partitionIndex}@${p.committedOffset}(${p.metadata})`))
      .sort()
      .join(' ');
    return group?.errorCode ?? -1;
  });
  return found;
}

async function membersOf(client: PlainClient, groupId: string): Promise<string> {
  const { groups } = await client.call('describeGroups', { groups: [groupId], includeAuthorizedOperations: false }, 5, CLIENT);
  const group = groups[0];
  if (group === undefined) return 'none';
  const members = group.members
    .map(
      (one) =>
        `${one.memberId} ${one.groupInstanceId} ${one.clientId} ${one.memberMetadata.toString('hex')} ${one.memberAssignment.toString('hex')}`,
    )
    .sort();
  return `${group.errorCode} ${group.groupState} ${group.protocolType} ${group.protocolData}: ${members.join('; ')}`;
}

async function transactionOf(client: PlainClient, id: string): Promise<string> {
  await coordinated(client, id, 1);
  const { transactionStates } = await client.call('describeTransactions', { transactionalIds: [id] }, 0, CLIENT);
  const state = transactionStates[0];
  if (state === undefined) return 'none';
  const partitions = state.topics.flatMap(({ topic, partitions: indexes }) => indexes.map((index) => `${topic}-${index}`)).sort();
  const times = `${state.transactionTimeoutMs} ${state.transactionStartTimeMs}`;
  return `${state.errorCode} ${state.transactionState} ${state.producerId} ${state.producerEpoch} ${times} ${partitions.join(' ')}`;
}

export function difference(before: Facts, after: Facts): string | undefined {
  const wrong = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, 5)
    .map((key) => `${key}: was ${before.get(key)?.slice(0, 80)}, is ${after.get(key)?.slice(0, 80)}`);
  return `${wrong.length} of ${before.size} facts differ\n    ${shown.join('\n    ')}`;
}
