/** DescribeClientQuotas through its handler, on a whole broker. */
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { MetadataChanges } from '../../src/machine/metadata/metadata-change.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

const [EXACT, DEFAULT, SPECIFIED] = [0, 1, 2];
type Component = readonly [entityType: string, matchType: number, match: string | null];

describe('DescribeClientQuotas', () => {
  let broker: Broker;
  let ask: Ask;

  beforeEach(async () => {
    broker = await Broker.start({ port: 0 });
    ask = handlersOf(broker);
  });
  afterEach(() => broker.stop());

  const KEPT: readonly Readonly<Record<string, string | null>>[] = [
    { user: 'u' },
    { user: null },
    { 'client-id': 'c', user: 'u' },
    { 'client-id': 'c' },
    { ip: '1.2.3.4' },
  ];

  /** As a directory has them in which Apache Kafka has set some. */
  function keep(): void {
    for (const names of KEPT) {
      const entity = Object.entries(names).map(([entityType, entityName]) => ({ entityType, entityName }));
      const key = 'ip' in names ? 'connection_creation_rate' : 'consumer_byte_rate';
      broker.services.image.apply(
        { kind: 'ClientQuotaRecord', value: { entity, key, value: 5, remove: false } },
        new MetadataChanges(),
      );
    }
  }

  const filter = (components: readonly Component[]) =>
    components.map(([entityType, matchType, match]) => ({ entityType, matchType, match }));

  const FILTERS: readonly (readonly [readonly Component[], boolean, readonly number[]])[] = [
    [[], false, [0, 1, 2, 3, 4]],
    [[['user', EXACT, 'u']], false, [0, 2]],
    [[['user', EXACT, 'u']], true, [0]],
    [[['user', DEFAULT, null]], false, [1]],
    [[['user', SPECIFIED, null]], true, [0, 1]],
    [
      [
        ['user', SPECIFIED, null],
        ['client-id', EXACT, 'c'],
      ],
      true,
      [2],
    ],
    [[['ip', EXACT, '4.3.2.1']], false, []],
  ];
  for (const version of versionsOf('describeClientQuotas')) {
    for (const [components, strict, found] of FILTERS) {
      it(`finds ${found.length} by ${JSON.stringify(components)}${strict ? ', strictly' : ''}, at version ${version}`, async () => {
        keep();
        const answer = await ask('describeClientQuotas', version, { components: filter(components), strict });
        expect([answer.errorCode, answer.errorMessage]).to.deep.equal([ErrorCode.NONE, '']);
        const names = answer.entries?.map(({ entity }) => Object.fromEntries(entity.map((e) => [e.entityType, e.entityName])));
        expect(names).to.deep.equal(found.map((index) => KEPT[index]));
        for (const { values } of answer.entries ?? []) expect(values.map(({ value }) => value)).to.deep.equal([5]);
      });
    }
  }

  const { INVALID_REQUEST, UNSUPPORTED_VERSION } = ErrorCode;
  const WRONG: readonly (readonly [readonly Component[], number, string])[] = [
    [[['', EXACT, 'x']], INVALID_REQUEST, 'Invalid empty entity type.'],
    [[['group', EXACT, 'x']], UNSUPPORTED_VERSION, 'Unsupported entity type group'],
    [[['user', EXACT, null]], INVALID_REQUEST, 'Request specified MATCH_TYPE_EXACT, but set match string to null.'],
    [[['user', DEFAULT, 'x']], INVALID_REQUEST, 'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.'],
    [[['user', SPECIFIED, 'x']], INVALID_REQUEST, 'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.'],
    [[['user', 7, null]], INVALID_REQUEST, 'Unknown match type 7'],
    [
      [
        ['user', DEFAULT, null],
        ['user', EXACT, 'x'],
      ],
      INVALID_REQUEST,
      'Entity type user cannot appear more than once in the filter.',
    ],
    [
      [
        ['ip', SPECIFIED, null],
        ['user', EXACT, 'x'],
      ],
      INVALID_REQUEST,
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ],
  ];
  for (const [components, errorCode, errorMessage] of WRONG) {
    it(`refuses ${JSON.stringify(components)}`, async () => {
      const answer = await ask('describeClientQuotas', 1, { components: filter(components), strict: false });
      expect(answer).to.deep.include({ errorCode, errorMessage, entries: null });
    });
  }
});
