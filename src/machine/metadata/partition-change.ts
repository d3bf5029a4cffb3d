/**
 * What becomes of partitions when a broker comes or goes: who leads, who is in sync, who may lead later (KIP-966). The rules are those of Kafka's
 * PartitionChangeBuilder, without reassignment and without elections that an administrator asks for.
 */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import { isActive } from './broker-image.ts';
import { type ConfigLayers, configLayers } from './config-sources.ts';
import type { Surroundings } from './decision.ts';
import { isElrEnabled, recordVersions } from './record-versions.ts';
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

interface ElectionRules {
  readonly elr: boolean;
  readonly minInsyncReplicas: number;
  readonly uncleanElection: boolean;
  readonly mayLead: (broker: number) => boolean;
}

interface ChangeDraft {
  isr?: readonly number[];
  leader: number;
  leaderRecoveryState?: number;
  eligibleLeaderReplicas?: readonly number[];
  lastKnownElr?: readonly number[];
}

/** The change records of all partitions that `concerned` picks; none for those that stay as they are. */
export function partitionChanges(
  around: Surroundings,
  event: BrokerEvent,
  concerned: (partition: PartitionImage) => boolean,
): MetadataRecordDraft[] {
  const { image } = around;
  const layers = configLayers(image, around.nodeId, around.brokerConfigs);
  const version = recordVersions(image).partitionChangeRecord;
  const mayLead = (broker: number): boolean =>
    broker !== event.leaving &&
    broker !== event.uncleanlyStopped &&
    (broker === event.joining || isActive(image.brokers.get(broker)));
  const records: MetadataRecordDraft[] = [];
  for (const topic of image.topicsByName.values()) {
    let rules: ElectionRules | undefined;
    for (const partition of topic.partitions.values()) {
      if (!concerned(partition)) continue;
      rules ??= electionRules(around, topic, layers, mayLead);
      const change = changeOf(partition, event, rules);
      if (change === undefined) continue;
      records.push({
        kind: 'PartitionChangeRecord',
        value: { topicId: topic.id, partitionId: partition.index, ...change },
        version,
      });
    }
  }
  return records;
}

function electionRules(
  around: Surroundings,
  topic: TopicImage,
  layers: ConfigLayers,
  mayLead: (broker: number) => boolean,
): ElectionRules {
  const own = around.image.configsOf(ConfigResourceType.TOPIC, topic.name);
  const value = (name: string): string | null => {
    const fact = TOPIC_CONFIG_FACTS.get(name);
    return fact === undefined ? null : topicConfigValue(fact, own, layers);
  };
  return {
    elr: isElrEnabled(around.image),
    minInsyncReplicas: Number(value('min.insync.replicas')),
    uncleanElection: value('unclean.leader.election.enable') === 'true',
    mayLead,
  };
}

function changeOf(old: PartitionImage, event: BrokerEvent, rules: ElectionRules): ChangeDraft | undefined {
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
  return isNothing(change) ? undefined : change;
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
