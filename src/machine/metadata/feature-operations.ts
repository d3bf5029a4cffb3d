/**
 * UpdateFeatures as the controller decides it: all features of a request or none (KIP-584, KIP-778, KIP-1022).
 *
 * A feature is refused at a level that this node, or any registered one, does not support. metadata.version goes down only as far as no kind of record
 * has changed, whatever the client allows; kraft.version never. Level 0 of names that Apache Kafka's own tests use is taken, as there.
 * Source: FeatureControlManager, QuorumFeatures and ConfigurationControlManager.updateFeatures of Apache Kafka.
 */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import { FEATURES } from '../../wire/generated/features.ts';
import type { UpdateFeaturesRequest } from '../../wire/generated/update-features.ts';
import { javaHashMapOrder } from '../../wire/java-hash.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { FeatureRange } from './broker-image.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { KRAFT_VERSION, SUPPORTED_FEATURES } from './features.ts';
import { ELR_VERSION, hasControllerRegistrations, METADATA_VERSION } from './record-versions.ts';

export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const;

/** One feature of the request; where it is named twice, what came last. */
interface Update {
  readonly name: string;
  readonly level: number;
  readonly upgradeType: number;
}

interface Accepted {
  readonly records: readonly MetadataRecordDraft[];
  readonly kraftVersion?: number;
}

type Outcome = Accepted | ApiError;
type Levels = ReadonlyMap<string, number>;

const DISABLED: FeatureRange = { min: 0, max: 0 };

/** Features that only Apache Kafka's tests use, with what their level 0 depends on. */
const TEST_FEATURES: ReadonlyMap<string, Levels> = new Map([
  ['test.feature.version', new Map()],
  ...[0, 1, 2, 3, 4, 5, 6].map((i): [string, Levels] => [`unit.test.feature.version.${i}`, new Map()]),
  ['unit.test.feature.version.7', new Map([[METADATA_VERSION, 15]])],
]);

const MINIMUM = FEATURES.find(({ name }) => name === METADATA_VERSION)?.levels[0];

/** The reply is the error of the first feature that has one, in the order in which Kafka goes through them, or NONE. */
export function updateFeatures(request: UpdateFeaturesRequest, around: Surroundings): Decision<ApiError> {
  const updates = updatesOf(request);
  const proposed = new Map(around.image.features);
  for (const { name, level } of updates) proposed.set(name, level);
  const records: MetadataRecordDraft[] = [];
  let kraftVersion: number | undefined;
  for (const update of updates) {
    const outcome = updateOne(update, proposed, around);
    // The upgrade of the quorum is not taken back for what comes after it.
    if ('error' in outcome) return { records: [], reply: outcome, kraftVersion };
    records.push(...outcome.records);
    if (!request.validateOnly) kraftVersion ??= outcome.kraftVersion;
  }
  const reply: ApiError = { error: ErrorCode.NONE, message: null };
  if (request.validateOnly) return { records: [], reply };
  const enablesElr = updates.some(({ name, level }) => name === ELR_VERSION && level > 0);
  return { records: [...(enablesElr ? minInsyncReplicasForAll(around) : []), ...records], reply, kraftVersion };
}

function updatesOf(request: UpdateFeaturesRequest): readonly Update[] {
  const byName = new Map<string, Update>();
  for (const { feature, maxVersionLevel, upgradeType } of request.featureUpdates) {
    byName.set(feature, { name: feature, level: maxVersionLevel, upgradeType });
  }
  return javaHashMapOrder([...byName.values()], ({ name }) => name);
}

function updateOne(update: Update, proposed: Levels, around: Surroundings): Outcome {
  const { name, level, upgradeType } = update;
  if (!Object.values<number>(UpgradeType).includes(upgradeType)) {
    return invalid(update, 'The controller does not support the given upgrade type.');
  }
  const current = name === KRAFT_VERSION ? around.kraftVersion : around.image.featureLevel(name);
  if (level < 0) return invalid(update, 'A feature version cannot be less than 0.');
  const reason = reasonNotSupported(name, level, around);
  if (reason !== undefined) return invalid(update, reason);
  const isUpgrade = upgradeType === UpgradeType.UPGRADE;
  if (level < current && isUpgrade) {
    const why =
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.";
    return invalid(update, why);
  }
  if (level > current && !isUpgrade) return invalid(update, "Can't downgrade to a newer version.");
  if (name === METADATA_VERSION) return metadataVersionUpdate(update, current);
  if (name === KRAFT_VERSION) return kraftVersionUpdate(update, current);
  const unmet = unmetDependency(name, level, proposed);
  return unmet === undefined ? { records: [featureLevel(name, level)] } : invalid(update, unmet);
}

function metadataVersionUpdate({ name, level, upgradeType }: Update, current: number): Outcome {
  const levels = FEATURES.find((feature) => feature.name === METADATA_VERSION)?.levels ?? [];
  const takenBack = levels.filter((one) => one.level > level && one.level <= current);
  if (!takenBack.some((one) => one['metadataChanged'] === true)) return { records: [featureLevel(name, level)] };
  const why =
    upgradeType === UpgradeType.UNSAFE_DOWNGRADE
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.';
  const message = `Unsupported metadata.version downgrade from ${current} to ${level}. ${why}`;
  return { error: ErrorCode.INVALID_UPDATE_VERSION, message };
}

/** What is asked for already leaves a NoOp record, as in Apache Kafka. */
function kraftVersionUpdate(update: Update, current: number): Outcome {
  const { level, upgradeType } = update;
  if (upgradeType === UpgradeType.UPGRADE) {
    const records: MetadataRecordDraft[] = [{ kind: 'NoOpRecord', value: {}, version: 0 }];
    return level > current ? { records, kraftVersion: level } : { records };
  }
  return level === current ? { records: [] } : invalid(update, "Can't downgrade the version of this feature.");
}

function reasonNotSupported(name: string, level: number, { image, nodeId }: Surroundings): string | undefined {
  const local = reasonOf(`Local controller ${nodeId}`, SUPPORTED_FEATURES.get(name), level);
  if (local !== undefined) return local;
  for (const { id, features } of image.brokers.values()) {
    const reason = reasonOf(`Broker ${id}`, features.get(name), level);
    if (reason !== undefined) return reason;
  }
  if (!hasControllerRegistrations(image)) return undefined;
  for (const { id, features } of image.controllers.values()) {
    const reason = id === nodeId ? undefined : reasonOf(`Controller ${id}`, features.get(name), level);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function reasonOf(who: string, { min, max }: FeatureRange = DISABLED, level: number): string | undefined {
  if (level >= min && level <= max) return undefined;
  return max === 0
    ? `${who} does not support this feature.`
    : `${who} only supports versions ${min === max ? min : `${min}-${max}`}`;
}

function unmetDependency(name: string, level: number, proposed: Levels): string | undefined {
  const dependencies = dependenciesOf(name, level);
  if (dependencies === undefined) return `Feature ${name} not found.`;
  const because = `${name} could not be set to ${level} because it depends on `;
  if (level >= 1 && MINIMUM !== undefined && (proposed.get(METADATA_VERSION) ?? 0) < MINIMUM.level) {
    return `${because}metadata.version=${MINIMUM.level} (${String(MINIMUM['version'])})`;
  }
  for (const [other, least] of dependencies) {
    if ((proposed.get(other) ?? -1) < least) return `${because}${other} level ${least}`;
  }
  return undefined;
}

/** Undefined for names that are no features. */
function dependenciesOf(name: string, level: number): Levels | undefined {
  const known = FEATURES.find((feature) => feature.name === name);
  if (known === undefined) return TEST_FEATURES.get(name);
  const dependencies = known.levels.find((one) => one.level === level)?.['dependencies'];
  return new Map(Object.entries((dependencies ?? {}) as Readonly<Record<string, number>>));
}

/** Eligible leaders need one least in-sync count for all brokers (KIP-966): what a broker had of its own goes. */
function minInsyncReplicasForAll({ image, brokerConfigs }: Surroundings): MetadataRecordDraft[] {
  const name = 'min.insync.replicas';
  const config = (resourceName: string, value: string | null): MetadataRecordDraft => ({
    kind: 'ConfigRecord',
    value: { resourceType: ConfigResourceType.BROKER, resourceName, name, value },
    version: 0,
  });
  const isSet = image.configsOf(ConfigResourceType.BROKER, '').has(name);
  const records = isSet ? [] : [config('', String(brokerConfigs.int(name)))];
  for (const { resource, configs } of image.configuredResources()) {
    const isOneBroker = resource.type === ConfigResourceType.BROKER && resource.name !== '';
    if (isOneBroker && configs.has(name)) records.push(config(resource.name, null));
  }
  return records;
}

function featureLevel(name: string, level: number): MetadataRecordDraft {
  return { kind: 'FeatureLevelRecord', value: { name, featureLevel: level }, version: 0 };
}

function invalid({ name, level }: Update, why: string): ApiError {
  return { error: ErrorCode.INVALID_UPDATE_VERSION, message: `Invalid update version ${level} for feature ${name}. ${why}` };
}
