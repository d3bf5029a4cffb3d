/** A broker's life as the controller keeps it: registered, unfenced, fenced (KIP-631). */
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { FeatureRange, ListenerEndpoint } from './broker-image.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { NO_EVENT, partitionChanges } from './partition-change.ts';
import { isElrEnabled, recordVersions } from './record-versions.ts';
import { NO_LEADER } from './topic-image.ts';

export interface BrokerRegistration {
  readonly brokerId: number;
  /** New with every start of the process. */
  readonly incarnationId: string;
  readonly endpoints: readonly ListenerEndpoint[];
  readonly features: ReadonlyMap<string, FeatureRange>;
  readonly rack: string | null;
  readonly logDirs: readonly string[];
  /** From .kafka_cleanshutdown; -1 where there was none. */
  readonly previousBrokerEpoch: number;
}

/** BrokerRegistrationChangeRecord's ways to say it. */
const FENCE = 1;
const UNFENCE = -1;

/**
 * Registers a new process of a broker, fenced. Whether the one before it stopped cleanly is told by its epoch: after an unclean stop it is taken out
 * of all in-sync and eligible sets first. Its epoch is the next offset of the log, not the offset of its own record. The same process again amends
 * its registration: epoch and fence stay.
 */
export function registerBroker(request: BrokerRegistration, around: Surroundings): Decision<{ readonly brokerEpoch: number }> {
  const { brokerId } = request;
  const existing = around.image.brokers.get(brokerId);
  const version = recordVersions(around.image).registerBrokerRecord;
  const amended = existing?.incarnationId === request.incarnationId ? existing : undefined;
  const clean = (existing?.epoch ?? -2) === request.previousBrokerEpoch;
  const brokerEpoch = amended?.epoch ?? around.nextOffset;
  const value = {
    brokerId,
    brokerEpoch,
    incarnationId: request.incarnationId,
    endPoints: request.endpoints,
    features: [...request.features].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max })),
    rack: request.rack,
    fenced: amended?.fenced ?? true,
    ...(amended?.inControlledShutdown === true ? { inControlledShutdown: true } : {}),
    ...(version >= 3 ? { logDirs: request.logDirs } : {}),
  };
  return {
    records: [
      ...(amended === undefined ? afterShutdown(brokerId, clean, around) : []),
      { kind: 'RegisterBrokerRecord', value, version },
    ],
    reply: { brokerEpoch },
  };
}

function afterShutdown(brokerId: number, clean: boolean, around: Surroundings): readonly MetadataRecordDraft[] {
  if (clean || !isElrEnabled(around.image)) {
    return partitionChanges(around, { ...NO_EVENT, leaving: brokerId }, ({ isr }) => isr.includes(brokerId));
  }
  const event = { ...NO_EVENT, uncleanlyStopped: brokerId };
  return partitionChanges(around, event, ({ isr, elr }) => isr.includes(brokerId) || elr.includes(brokerId));
}

/** Lets a registered broker lead, and elects it wherever it is the one to. */
export function unfenceBroker(request: { readonly brokerId: number }, around: Surroundings): Decision<null> {
  const { brokerId } = request;
  const change: MetadataRecordDraft = {
    kind: 'BrokerRegistrationChangeRecord',
    value: { brokerId, brokerEpoch: epochOf(brokerId, around), fenced: UNFENCE },
    version: 0,
  };
  const elections = partitionChanges(around, { ...NO_EVENT, joining: brokerId }, ({ leader }) => leader === NO_LEADER);
  return { records: [change, ...elections], reply: null };
}

/** Takes a broker out of leadership and of the in-sync sets. Nothing when it is fenced already. */
export function fenceBroker(request: { readonly brokerId: number }, around: Surroundings): Decision<null> {
  const { brokerId } = request;
  const brokerEpoch = epochOf(brokerId, around);
  if (around.image.brokers.get(brokerId)?.fenced === true) return { records: [], reply: null };
  const elections = partitionChanges(around, { ...NO_EVENT, leaving: brokerId }, ({ isr }) => isr.includes(brokerId));
  const change: MetadataRecordDraft = {
    kind: 'BrokerRegistrationChangeRecord',
    value: { brokerId, brokerEpoch, fenced: FENCE },
    version: 0,
  };
  return { records: [...elections, change], reply: null };
}

/**
 * Forgets a broker that is gone, after it has lost what it led and was in sync with. This node itself is refused, where Apache Kafka would forget it and be a
 * cluster of no brokers.
 */
export function unregisterBroker({ brokerId }: { readonly brokerId: number }, around: Surroundings): Decision<ApiError> {
  const broker = around.image.brokers.get(brokerId);
  if (broker === undefined) {
    const message = `Broker ID ${brokerId} is not currently registered`;
    return { records: [], reply: { error: ErrorCode.BROKER_ID_NOT_REGISTERED, message } };
  }
  if (brokerId === around.nodeId) {
    const message = `Broker ID ${brokerId} is this node, which is running; only brokers that are gone can be unregistered`;
    return { records: [], reply: { error: ErrorCode.INVALID_REQUEST, message } };
  }
  const elections = partitionChanges(around, { ...NO_EVENT, leaving: brokerId }, ({ isr }) => isr.includes(brokerId));
  const removal: MetadataRecordDraft = {
    kind: 'UnregisterBrokerRecord',
    value: { brokerId, brokerEpoch: broker.epoch },
    version: 0,
  };
  return { records: [...elections, removal], reply: { error: ErrorCode.NONE, message: null } };
}

function epochOf(brokerId: number, around: Surroundings): number {
  const broker = around.image.brokers.get(brokerId);
  if (broker === undefined) throw new Error(`broker ${brokerId} is not registered`);
  return broker.epoch;
}
