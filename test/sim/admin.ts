/** An administrator: creates, enlarges, configures and deletes topics, and deletes records. What is answered is noted in the model as done. */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { Actor } from './actor.ts';
import type { TopicModel } from './cluster-model.ts';
import type { Target } from './producer.ts';
import { demand, Violation } from './violation.ts';

const TIMEOUT_MS = 30_000;
const TOPIC = 2;
const SET = 0;
const UPGRADE = 1;
const SAFE_DOWNGRADE = 2;

/** Until it is answered: asked again, the topic may be there already. */
export async function createTopic(
  actor: Actor,
  name: string,
  partitionCount: number,
  configs: Readonly<Record<string, string>>,
): Promise<TopicModel> {
  for (;;) {
    const created = await tryToCreate(actor, name, partitionCount, configs);
    if (created !== undefined) return created;
    await actor.rest();
  }
}

async function tryToCreate(
  actor: Actor,
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>>,
): Promise<TopicModel | undefined> {
  const { model } = actor.world;
  const wasUncertain = model.uncertainTopics.has(name);
  model.uncertainTopics.add(name);
  const link = await actor.link();
  const topic = {
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
  };
  const answer = await actor.unlessDisconnected(link.request('createTopics', 7, { topics: [topic], timeoutMs: TIMEOUT_MS }));
  const found = answer?.topics[0];
  if (found === undefined) return undefined;
  const { errorCode, errorMessage, topicId } = found;
  const isThere = errorCode === ErrorCode.TOPIC_ALREADY_EXISTS;
  demand(
    errorCode === ErrorCode.NONE || (isThere && wasUncertain),
    () => `creating ${name} is answered ${errorCode}: ${errorMessage}`,
  );
  const id = isThere ? await idOf(actor, name) : topicId;
  if (id === undefined) return undefined;
  model.uncertainTopics.delete(name);
  return model.topicCreated(name, id, numPartitions, configs);
}

async function idOf(actor: Actor, name: string): Promise<string | undefined> {
  const link = await actor.link();
  const answer = await actor.unlessDisconnected(link.request('metadata', actor.random.between(10, 13), { topics: [{ name }] }));
  const found = answer?.topics[0];
  return found?.errorCode === ErrorCode.NONE ? found.topicId : undefined;
}

export async function administrate(actor: Actor, topics: readonly TopicModel[], rounds: number): Promise<void> {
  const { random } = actor;
  for (let round = 0; round < rounds; round++) {
    const topic = random.pick(topics);
    switch (random.below(5)) {
      case 0:
        await comeAndGo(actor, `passing-${round}`);
        break;
      case 1:
        await enlarge(actor, topic);
        break;
      case 2:
        await configure(actor, topic);
        break;
      default:
        await deleteRecords(actor, { topic, index: random.below(topic.partitions.length) });
    }
    await actor.world.scheduler.sleep(random.below(400));
  }
}

async function comeAndGo(actor: Actor, name: string): Promise<void> {
  const { random } = actor;
  const { model } = actor.world;
  const topic = await createTopic(actor, name, random.between(1, 3), random.oneIn(2) ? { 'flush.messages': '1' } : {});
  await actor.rest();
  if (random.oneIn(3)) return;
  model.topics.delete(name);
  model.uncertainTopics.add(name);
  const link = await actor.link();
  const apiVersion = random.between(1, 6);
  const request = {
    timeoutMs: TIMEOUT_MS,
    ...(apiVersion >= 6 ? { topics: [{ name: null, topicId: topic.id }] } : { topicNames: [name] }),
  };
  const answer = await actor.unlessDisconnected(link.request('deleteTopics', apiVersion, request));
  const found = answer?.responses[0];
  if (found === undefined) return;
  demand(found.errorCode === ErrorCode.NONE, () => `deleting ${name} is answered ${found.errorCode}: ${found.errorMessage}`);
  model.uncertainTopics.delete(name);
  model.deletedTopics.add(name);
}

async function enlarge(actor: Actor, topic: TopicModel): Promise<void> {
  if (topic.partitionsAtMost >= 5 || topic.partitionsAtMost !== topic.partitionCount) return;
  const count = topic.partitionCount + 1;
  topic.partitionsAtMost = count;
  const link = await actor.link();
  const request = { topics: [{ name: topic.name, count, assignments: null }], timeoutMs: TIMEOUT_MS, validateOnly: false };
  const answer = await actor.unlessDisconnected(link.request('createPartitions', actor.random.between(0, 3), request));
  const found = answer?.results[0];
  if (found === undefined) return;
  demand(
    found.errorCode === ErrorCode.NONE,
    () => `enlarging ${topic.name} is answered ${found.errorCode}: ${found.errorMessage}`,
  );
  actor.world.model.partitionsAdded(topic, count);
}

async function configure(actor: Actor, topic: TopicModel): Promise<void> {
  const { random } = actor;
  const [name, value] = random.pick([
    ['retention.ms', `${random.between(1_000_000_000, 2_000_000_000)}`],
    ['index.interval.bytes', `${random.between(0, 4096)}`],
    ['max.message.bytes', `${random.between(100_000, 2_000_000)}`],
  ] as const);
  await setConfig(actor, topic, name, value);
}

/** False when it was not answered: it may have happened. */
export async function setConfig(actor: Actor, topic: TopicModel, name: string, value: string): Promise<boolean> {
  const uncertain = topic.uncertain.get(name) ?? new Set();
  topic.uncertain.set(name, uncertain.add(value));
  const link = await actor.link();
  const resource = { resourceType: TOPIC, resourceName: topic.name, configs: [{ name, configOperation: SET, value }] };
  const request = { resources: [resource], validateOnly: false };
  const apiVersion = actor.random.below(2);
  const answer = await actor.unlessDisconnected(link.request('incrementalAlterConfigs', apiVersion, request));
  const found = answer?.responses[0];
  if (found === undefined) return false;
  demand(
    found.errorCode === ErrorCode.NONE,
    () => `configuring ${topic.name} is answered ${found.errorCode}: ${found.errorMessage}`,
  );
  topic.configs.set(name, value);
  topic.uncertain.delete(name);
  return true;
}

/** Sets the level that the cluster has of a feature, however long that takes. */
export async function finalize(actor: Actor, feature: string, maxVersionLevel: number, isRaised: boolean): Promise<void> {
  const upgradeType = isRaised ? UPGRADE : SAFE_DOWNGRADE;
  const request = { timeoutMs: TIMEOUT_MS, featureUpdates: [{ feature, maxVersionLevel, upgradeType }], validateOnly: false };
  for (;;) {
    const link = await actor.link();
    const answer = await actor.unlessDisconnected(link.request('updateFeatures', actor.random.between(1, 2), request));
    if (answer?.errorCode === ErrorCode.NONE) return;
    demand(
      answer === undefined,
      () => `${feature} of ${maxVersionLevel} is answered ${answer?.errorCode}: ${answer?.errorMessage}`,
    );
    await actor.rest();
  }
}

async function deleteRecords(actor: Actor, { topic, index }: Target): Promise<void> {
  const model = topic.partitions[index];
  if (model === undefined) return;
  const { random } = actor;
  const { losses } = model;
  const link = await actor.link();
  const offset = random.oneIn(6) ? -1 : random.below(model.acknowledged + 1);
  const partitions = [{ partitionIndex: index, offset }];
  const request = { topics: [{ name: topic.name, partitions }], timeoutMs: TIMEOUT_MS };
  const answer = await actor.unlessDisconnected(link.request('deleteRecords', random.between(0, 2), request));
  const found = answer?.topics[0]?.partitions[0];
  if (found === undefined) return;
  if (found.errorCode !== ErrorCode.NONE) {
    const isKnown = found.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE || found.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER;
    demand(isKnown, () => `deleting records of ${model.name} is answered ${found.errorCode}`);
  } else if (Number(found.lowWatermark) < offset && losses === model.losses) {
    throw new Violation(`${model.name} begins at ${found.lowWatermark} after all before ${offset} was deleted`);
  }
}
