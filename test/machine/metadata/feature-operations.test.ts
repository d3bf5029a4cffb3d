/** Levels of features go up and down as in Apache Kafka's controller, with its errors and texts; all that a request names, or none. */
import { expect } from 'chai';
import { UpgradeType } from '../../../src/machine/metadata/feature-operations.ts';
import { ConfigResourceType } from '../../../src/wire/config-resource.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const { UPGRADE, SAFE_DOWNGRADE: SAFE, UNSAFE_DOWNGRADE: UNSAFE } = UpgradeType;
const TRANSACTION = 'transaction.version';
const METADATA = 'metadata.version';
const KRAFT = 'kraft.version';
const ELR = 'eligible.leader.replicas.version';
const MIN_ISR = 'min.insync.replicas';
const NONE = [ErrorCode.NONE, null];

type Updates = readonly (readonly [feature: string, level: number, upgradeType?: number])[];

function update(cluster: Cluster, updates: Updates, validateOnly = false): readonly [number, string | null] {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
    feature,
    maxVersionLevel,
    allowDowngrade: false,
    upgradeType,
  }));
  const { error, message } = cluster.perform('updateFeatures', { timeoutMs: 0, featureUpdates, validateOnly });
  return [error, message];
}

const at = (metadataVersion: number): Cluster => {
  const cluster = new Cluster({ elr: false });
  cluster.apply([{ kind: 'FeatureLevelRecord', value: { name: METADATA, featureLevel: metadataVersion } }]);
  return cluster;
};

describe('updating features', () => {
  it('raises and lowers a level, and takes off a feature at level 0', () => {
    const cluster = new Cluster();
    expect(update(cluster, [[TRANSACTION, 2]])).to.deep.equal(NONE);
    expect(cluster.changes).to.deep.equal([{ kind: 'featureChanged', name: TRANSACTION }]);
    expect(update(cluster, [[TRANSACTION, 1, SAFE]])).to.deep.equal(NONE);
    expect(cluster.image.featureLevel(TRANSACTION)).to.equal(1);
    expect(update(cluster, [[TRANSACTION, 0, UNSAFE]])).to.deep.equal(NONE);
    expect([...cluster.image.features.keys()]).to.deep.equal([METADATA, ELR]);
  });

  it('changes nothing where it is only to be checked, or where one of several is refused', () => {
    const cluster = new Cluster();
    expect(update(cluster, [[TRANSACTION, 2]], true)).to.deep.equal(NONE);
    const [error, message] = update(cluster, [
      [TRANSACTION, 2],
      [ELR, 2],
    ]);
    expect([error, message]).to.deep.equal([
      ErrorCode.INVALID_UPDATE_VERSION,
      `Invalid update version 2 for feature ${ELR}. Local controller 1 only supports versions 0-1`,
    ]);
    expect(cluster.image.featureLevel(TRANSACTION)).to.equal(0);
    expect(cluster.records).to.deep.equal([]);
  });

  const refusals: readonly (readonly [what: string, Updates[0], why: string])[] = [
    ['an upgrade type that is none', [TRANSACTION, 2, 0], 'The controller does not support the given upgrade type.'],
    ['a level below 0', [TRANSACTION, -1, SAFE], 'A feature version cannot be less than 0.'],
    ['a level that is not known', [METADATA, 34], 'Local controller 1 only supports versions 7-33'],
    ['a feature that is not known', ['no.such', 1], 'Local controller 1 does not support this feature.'],
    ['a feature that is not known at level 0', ['no.such', 0, SAFE], 'Feature no.such not found.'],
    [
      'a downgrade as an upgrade',
      [ELR, 0],
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    ],
    ['an upgrade as a downgrade', [TRANSACTION, 1, SAFE], "Can't downgrade to a newer version."],
    ['a downgrade of the quorum', [KRAFT, 0, UNSAFE], "Can't downgrade the version of this feature."],
  ];
  for (const [what, one, why] of refusals) {
    const [name, level] = one;
    it(`refuses ${what}`, () => {
      const message = `Invalid update version ${level} for feature ${name}. ${why}`;
      expect(update(new Cluster(), [one])).to.deep.equal([ErrorCode.INVALID_UPDATE_VERSION, message]);
    });
  }

  it('refuses what another broker does not support', () => {
    const cluster = new Cluster();
    const version = 4;
    const value = { ...registration(cluster), features: [{ name: METADATA, minSupportedVersion: 7, maxSupportedVersion: 33 }] };
    cluster.apply([{ kind: 'RegisterBrokerRecord', value, version }]);
    expect(update(cluster, [[TRANSACTION, 1]])[1]).to.match(/Broker 2 does not support this feature\.$/);
  });

  it('lowers metadata.version as far as no kind of record has changed, and no further whatever is allowed', () => {
    expect(update(at(29), [[METADATA, 23, SAFE]])).to.deep.equal(NONE);
    for (const [type, why] of [
      [SAFE, 'Refusing to perform the requested downgrade because it might delete metadata information.'],
      [UNSAFE, 'Unsafe metadata downgrade is not supported in this version.'],
    ] as const) {
      const message = `Unsupported metadata.version downgrade from 29 to 22. ${why}`;
      expect(update(at(29), [[METADATA, 22, type]])).to.deep.equal([ErrorCode.INVALID_UPDATE_VERSION, message]);
    }
  });

  it('raises metadata.version, and what depends on it in the same request', () => {
    const cluster = at(22);
    const message = `Invalid update version 1 for feature ${ELR}. ${ELR} could not be set to 1 because it depends on metadata.version level 23`;
    expect(update(cluster, [[ELR, 1]])).to.deep.equal([ErrorCode.INVALID_UPDATE_VERSION, message]);
    expect(
      update(cluster, [
        [ELR, 1],
        [METADATA, 23],
      ]),
    ).to.deep.equal(NONE);
    expect([cluster.image.featureLevel(ELR), cluster.image.featureLevel(METADATA)]).to.deep.equal([1, 23]);
  });

  it('gives all brokers one least in-sync count where eligible leaders come up', () => {
    const cluster = new Cluster({ elr: false, properties: { [MIN_ISR]: '3' } });
    cluster.alter(ConfigResourceType.BROKER, '1', [[MIN_ISR, 0, '2']]);
    expect(update(cluster, [[ELR, 1]])).to.deep.equal(NONE);
    expect(cluster.image.configsOf(ConfigResourceType.BROKER, '').get(MIN_ISR)).to.equal('3');
    expect(cluster.image.configsOf(ConfigResourceType.BROKER, '1').has(MIN_ISR)).to.equal(false);
    update(cluster, [[ELR, 1]]);
    expect(cluster.records.map(({ kind }) => kind)).to.deep.equal(['FeatureLevelRecord']);
  });

  it('tells the first error in the order in which Kafka goes through the names', () => {
    const messages = [
      ['b', 'a'],
      ['a', 'b'],
    ].map(
      (names) =>
        update(
          new Cluster(),
          names.map((name) => [name, 9]),
        )[1],
    );
    expect(messages[0]).to.equal(messages[1]);
    expect(messages[0]).to.match(/feature a\./);
  });
});

function registration(cluster: Cluster) {
  return {
    brokerId: 2,
    brokerEpoch: cluster.nextOffset,
    incarnationId: cluster.uuid(),
    endPoints: [],
    rack: null,
    fenced: true,
    logDirs: [],
  };
}
