/**
 * What becomes of partitions when a broker comes or goes, or when an administrator asks for a leader or for other replicas: who has them, who leads, who
 * is in sync, who may lead later (KIP-966). The rules are those of Kafka's PartitionChangeBuilder.
 */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import { isActive } from './broker-image.ts';
import { type ConfigLayers, configLayers } from './config-sources.ts';
import type { Surroundings } from './decision.ts';
import { isElrEnabled, recordVersions } from './record-versions.ts';
import { DIRECTORY_MIGRATING, directoryOf, isDirectoryOnline } from '../../wire/directory-id.ts';
import { directoryFor } from './replica-placement.ts';
import { TOPIC_CONFIG_FACTS, topicConfigValue } from './topic-configs.ts';
import { NO_LEADER, NO_LEADER_CHANGE, type PartitionImage, type TopicImage } from './topic-image.ts';

/** Which broker the change is about; NO_LEADER stands for none. */
export interface BrokerEvent {
  /** May not lead any more. */
  readonly leaving: number;
  /** May lead, although the image still has it fenced. */
  readonly joining: number;
  /** Has stopped without a clean shutdown: what it had in sync is not to be relied on. */
  readonly uncleanlyStopped: number;
}

/** Of one partition. */
interface ElectionRules extends TopicRules {
  readonly mayLead: (broker: number) => boolean;
}

interface TopicRules {
  readonly elr: boolean;
  readonly minInsyncReplicas: number;
  readonly uncleanElection: boolean;
}

interface ChangeDraft {
  replicas?: readonly number[];
  removingReplicas?: readonly number[];
  addingReplicas?: readonly number[];
  isr?: readonly number[];
  leader: number;
  leaderRecoveryState?: number;
  eligibleLeaderReplicas?: readonly number[];
  lastKnownElr?: readonly number[];
  directories?: readonly string[];
}

/** Brokers of one partition: all that have it, and which of them are on their way in or out. */
export interface Assignment {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
}

export const NO_EVENT: BrokerEvent = { leaving: NO_LEADER, joining: NO_LEADER, uncleanlyStopped: NO_LEADER };

/** The change records of all partitions that `concerned` picks; none for those that stay as they are. */
export function partitionChanges(
  around: Surroundings,
  event: BrokerEvent,
  concerned: (partition: PartitionImage) => boolean,
): MetadataRecordDraft[] {
  const layers = configLayers(around.image, around.nodeId, around.brokerConfigs);
  const records: MetadataRecordDraft[] = [];
  for (const topic of around.image.topicsByName.values()) {
    let rules: TopicRules | undefined;
    for (const partition of topic.partitions.values()) {
      if (!concerned(partition)) continue;
      rules ??= rulesOf(around, topic, layers);
      const change = changeOf(partition, event, { ...rules, mayLead: acceptable(around, event, partition) });
      if (!isNothing(change)) records.push(changeRecord(around, topic, partition, change));
    }
  }
  return records;
}

/** The replica of `brokerId` is in `directory` now; undefined where the metadata log says so already. */
export function directoryChange(
  around: Surroundings,
  topic: TopicImage,
  partition: PartitionImage,
  { brokerId, directory }: { readonly brokerId: number; readonly directory: string },
): MetadataRecordDraft | undefined {
  const rules = rulesOf(around, topic, configLayers(around.image, around.nodeId, around.brokerConfigs));
  const change = changeOf(partition, NO_EVENT, { ...rules, mayLead: acceptable(around, NO_EVENT, partition) });
  const directories = partition.replicas.map((broker, i) =>
    broker === brokerId ? directory : (partition.directories[i] ?? DIRECTORY_MIGRATING),
  );
  if (directories.some((one, i) => one !== partition.directories[i])) change.directories = directories;
  return isNothing(change) ? undefined : changeRecord(around, topic, partition, change);
}

/** A leader as ElectLeaders asks for one, uncleanly only where that is asked for; undefined where nothing changes. */
export function electionChange(
  around: Surroundings,
  topic: TopicImage,
  partition: PartitionImage,
  uncleanElection: boolean,
): MetadataRecordDraft | undefined {
  const rules = rulesOf(around, topic, configLayers(around.image, around.nodeId, around.brokerConfigs));
  const mayLead = acceptable(around, NO_EVENT, partition);
  const change = changeOf(partition, NO_EVENT, { ...rules, uncleanElection, mayLead });
  return isNothing(change) ? undefined : changeRecord(around, topic, partition, change);
}

/** Whose a partition is to be; undefined where it is that already. Where a replica is taken away, the leader's epoch rises. */
export function assignmentChange(
  around: Surroundings,
  topic: TopicImage,
  partition: PartitionImage,
  to: Assignment,
): MetadataRecordDraft | undefined {
  const directories = to.replicas.map((broker) => {
    const known = partition.replicas.indexOf(broker);
    return known < 0 ? directoryFor(broker, around) : (partition.directories[known] ?? DIRECTORY_MIGRATING);
  });
  const target: PartitionImage = { ...partition, ...to, directories };
  const rules = rulesOf(around, topic, configLayers(around.image, around.nodeId, around.brokerConfigs));
  const change = changeOf(target, NO_EVENT, { ...rules, mayLead: acceptable(around, NO_EVENT, target) });
  const isTakenAway = partition.replicas.some((broker) => !to.replicas.includes(broker));
  if (change.leader === NO_LEADER_CHANGE && isTakenAway) change.leader = partition.leader;
  if (change.isr === undefined && !sameBrokers(to.isr, partition.isr)) change.isr = to.isr;
  if (!sameBrokers(to.replicas, partition.replicas)) change.replicas = to.replicas;
  if (directories.some((one, i) => one !== partition.directories[i])) change.directories = directories;
  if (!sameBrokers(to.removingReplicas, partition.removingReplicas)) change.removingReplicas = to.removingReplicas;
  if (!sameBrokers(to.addingReplicas, partition.addingReplicas)) change.addingReplicas = to.addingReplicas;
  return isNothing(change) ? undefined : changeRecord(around, topic, partition, change);
}

/** `unclean.leader.election.enable` as it counts for a topic. */
export function allowsUncleanElection(around: Surroundings, topic: TopicImage): boolean {
  return rulesOf(around, topic, configLayers(around.image, around.nodeId, around.brokerConfigs)).uncleanElection;
}

function changeRecord(
  around: Surroundings,
  topic: TopicImage,
  partition: PartitionImage,
  change: ChangeDraft,
): MetadataRecordDraft {
  return {
    kind: 'PartitionChangeRecord',
    value: { topicId: topic.id, partitionId: partition.index, ...change },
    version: recordVersions(around.image).partitionChangeRecord,
  };
}

/** Who may lead the partition: brokers that are there, with the directory that their replica is in. */
function acceptable({ image }: Surroundings, event: BrokerEvent, partition: PartitionImage): (broker: number) => boolean {
  return (id) => {
    const broker = image.brokers.get(id);
    if (broker === undefined || id === event.leaving || id === event.uncleanlyStopped) return false;
    if (id !== event.joining && !isActive(broker)) return false;
    return isDirectoryOnline(directoryOf(partition, id), broker.logDirs);
  };
}

function rulesOf(around: Surroundings, topic: TopicImage, layers: ConfigLayers): TopicRules {
  const own = around.image.configsOf(ConfigResourceType.TOPIC, topic.name);
  const value = (name: string): string | null => {
    const fact = TOPIC_CONFIG_FACTS.get(name);
    return fact === undefined ? null : topicConfigValue(fact, own, layers);
  };
  return {
    elr: isElrEnabled(around.image),
    minInsyncReplicas: Number(value('min.insync.replicas')),
    uncleanElection: value('unclean.leader.election.enable') === 'true',
  };
}

function changeOf(old: PartitionImage, event: BrokerEvent, rules: ElectionRules): ChangeDraft {
  const gone = (broker: number): boolean => broker === event.leaving || broker === event.uncleanlyStopped;
  let isr: readonly number[] = old.isr.filter((broker) => !gone(broker));
  let elr = eligibleLeaders(old, isr, event, rules);
  const change: ChangeDraft = { leader: NO_LEADER_CHANGE };

  const { leader, unclean } = elect(old, isr, elr, rules);
  if (leader !== old.leader) {
    if (elr.includes(leader)) {
      isr = [leader];
      elr = elr.filter((broker) => broker !== leader);
    }
    change.leader = leader;
    if (unclean) {
      change.isr = [leader];
      if (!old.recovering) change.leaderRecoveryState = 1;
    }
  }
  if (change.isr !== undefined || !rules.elr) elr = [];
  if (!sameBrokers(elr, old.elr)) change.eligibleLeaderReplicas = elr;
  if (change.isr === undefined && (isr.length > 0 || rules.elr) && !sameBrokers(isr, old.isr)) change.isr = isr;
  rememberLastLeader(old, change, rules);
  return change;
}

/** Below the least in-sync count, who was in sync stays eligible, except a broker that stopped uncleanly. */
function eligibleLeaders(
  old: PartitionImage,
  isr: readonly number[],
  event: BrokerEvent,
  rules: ElectionRules,
): readonly number[] {
  if (!rules.elr) return old.elr;
  if (isr.length >= rules.minInsyncReplicas) return [];
  const candidates = new Set([...old.elr, ...old.isr]);
  return [...candidates].filter((broker) => !isr.includes(broker) && broker !== event.uncleanlyStopped);
}

function elect(
  old: PartitionImage,
  isr: readonly number[],
  elr: readonly number[],
  rules: ElectionRules,
): { readonly leader: number; readonly unclean: boolean } {
  const valid = (broker: number): boolean =>
    (isr.includes(broker) || (isr.length === 0 && elr.includes(broker))) && rules.mayLead(broker);
  if (valid(old.leader)) return { leader: old.leader, unclean: false };
  const clean = old.replicas.find(valid);
  if (clean !== undefined) return { leader: clean, unclean: false };
  const last = old.lastKnownElr.length === 1 ? old.lastKnownElr[0] : undefined;
  if (rules.elr && isr.length === 0 && elr.length === 0 && last !== undefined && rules.mayLead(last)) {
    return { leader: last, unclean: true };
  }
  const living = rules.uncleanElection ? old.replicas.find(rules.mayLead) : undefined;
  return living === undefined ? { leader: NO_LEADER, unclean: false } : { leader: living, unclean: true };
}

function rememberLastLeader(old: PartitionImage, change: ChangeDraft, rules: ElectionRules): void {
  if (!rules.elr) return;
  if (change.leader === NO_LEADER && old.lastKnownElr.length === 0) change.lastKnownElr = [old.leader];
  else if (change.leader >= 0 && old.lastKnownElr.length > 0) change.lastKnownElr = [];
}

function isNothing(change: ChangeDraft): boolean {
  return change.leader === NO_LEADER_CHANGE && Object.keys(change).length === 1;
}

function sameBrokers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((broker, i) => broker === b[i]);
}
