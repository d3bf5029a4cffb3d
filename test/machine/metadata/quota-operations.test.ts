/** Quotas as the controller decides them: what is kept, and what is refused in which words. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

type Names = Readonly<Record<string, string | null>>;
type Values = Readonly<Record<string, number | null>>;

const entityOf = (names: Names) => Object.entries(names).map(([entityType, entityName]) => ({ entityType, entityName }));

function alter(cluster: Cluster, entries: readonly (readonly [Names, Values])[], validateOnly = false) {
  const answers = cluster.perform('alterClientQuotas', {
    validateOnly,
    entries: entries.map(([names, values]) => ({
      entity: entityOf(names),
      ops: Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
  });
  return answers.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]);
}

const OK = [ErrorCode.NONE, null];
const kept = (cluster: Cluster, names: Names) => Object.fromEntries(cluster.image.clientQuota(entityOf(names))?.values ?? []);

describe('quotas', () => {
  it('are kept, replaced and taken away, and what stays as it is leaves no record', () => {
    const cluster = new Cluster();
    const pair = { user: 'u', 'client-id': 'c' };
    expect(alter(cluster, [[pair, { producer_byte_rate: 5, request_percentage: 0.5 }]])).to.deep.equal([OK]);
    expect(kept(cluster, { 'client-id': 'c', user: 'u' })).to.deep.equal({ producer_byte_rate: 5, request_percentage: 0.5 });
    expect(kept(cluster, { user: 'u' })).to.deep.equal({});
    alter(cluster, [[pair, { producer_byte_rate: 5, request_percentage: 7 }]]);
    expect(cluster.records.length).to.equal(1);
    alter(cluster, [[pair, { producer_byte_rate: null, consumer_byte_rate: null }]]);
    expect(cluster.records.length).to.equal(1);
    expect(kept(cluster, pair)).to.deep.equal({ request_percentage: 7 });
    alter(cluster, [[{ user: null }, { consumer_byte_rate: 9 }]]);
    alter(cluster, [[{ ip: '10.0.0.1' }, { connection_creation_rate: 3 }]]);
    expect([kept(cluster, { user: null }), kept(cluster, { ip: '10.0.0.1' })]).to.deep.equal([
      { consumer_byte_rate: 9 },
      { connection_creation_rate: 3 },
    ]);
  });

  it('are only checked where that is asked for', () => {
    const cluster = new Cluster();
    expect(alter(cluster, [[{ user: 'u' }, { producer_byte_rate: 5 }]], true)).to.deep.equal([OK]);
    expect(cluster.records).to.deep.equal([]);
  });

  const WRONG: readonly (readonly [Names, Values, string])[] = [
    [{}, {}, 'Invalid empty client quota entity'],
    [{ group: 'g' }, {}, 'Unhandled client quota entity type: group'],
    [{ user: '' }, {}, 'Empty user not supported'],
    [{ ip: '1.1.1.1', user: 'u' }, {}, 'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId'],
    [{ ip: 'no host' }, {}, 'no host is not a valid IP or resolvable host.'],
    [{ ip: '999.1.1.1' }, {}, '999.1.1.1 is not a valid IP or resolvable host.'],
    [{ user: 'u' }, { bytes: 1 }, 'Invalid configuration key bytes'],
    [{ user: 'u' }, { connection_creation_rate: 1 }, 'Invalid configuration key connection_creation_rate'],
    [{ ip: null }, { producer_byte_rate: 1 }, 'Invalid configuration key producer_byte_rate'],
    [{ user: 'u' }, { producer_byte_rate: 0 }, 'Quota producer_byte_rate must be greater than 0'],
    [{ user: 'u' }, { request_percentage: Number.NaN }, 'Quota request_percentage must be a finite number'],
    [{ user: 'u' }, { consumer_byte_rate: 1e30 }, 'Proposed value for consumer_byte_rate is too large for a LONG.'],
    [{ ip: '::1' }, { connection_creation_rate: 1e10 }, 'Proposed value for connection_creation_rate is too large for an INT.'],
    [{ user: 'u' }, { producer_byte_rate: 1.5 }, 'producer_byte_rate cannot be a fractional value.'],
  ];
  for (const [names, values, message] of WRONG) {
    it(`of ${JSON.stringify(names)} may not be ${JSON.stringify(values)}: ${message}`, () => {
      const cluster = new Cluster();
      const answers = alter(cluster, [
        [names, values],
        [{ user: 'other' }, { producer_byte_rate: 1 }],
      ]);
      expect(answers).to.deep.equal([[ErrorCode.INVALID_REQUEST, message], OK]);
      expect(cluster.records.length).to.equal(1);
    });
  }

  it('of an entity that comes twice are changed once, and the answer names it', () => {
    const cluster = new Cluster();
    const pair = { user: 'u', 'client-id': 'c' };
    const answers = alter(cluster, [
      [pair, { producer_byte_rate: 1 }],
      [pair, { consumer_byte_rate: 1 }],
    ]);
    const message = 'Ignoring duplicate entity ClientQuotaEntity(entries={client-id=c, user=u})';
    expect(answers).to.deep.equal([[ErrorCode.INVALID_REQUEST, message]]);
    expect(kept(cluster, pair)).to.deep.equal({ producer_byte_rate: 1 });
  });
});
