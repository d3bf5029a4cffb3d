/**
 * Credentials and quotas: they belong to the whole cluster, so each case takes away again what it has set, and has the brokers to itself. Quotas are set and told one
 * at a time, because several come in the order of a hash table.
 */
import { type Case, many } from '../case.ts';
import type { Conversation } from '../conversation.ts';

const [SHA_256, SHA_512] = [1, 2];
const [EXACT, DEFAULT, SPECIFIED] = [0, 1, 2];

interface Upsertion {
  readonly name: string;
  readonly mechanism?: number;
  readonly iterations?: number;
  readonly saltedPassword?: Buffer;
}

type Deletion = readonly [name: string, mechanism: number];

async function credentials(
  x: Conversation,
  upsertions: readonly Upsertion[],
  deletions: readonly Deletion[] = [],
): Promise<void> {
  const plain = { mechanism: SHA_256, iterations: 4096, salt: Buffer.from('salt'), saltedPassword: Buffer.from('salted') };
  await x.call('alterUserScramCredentials', {
    deletions: deletions.map(([name, mechanism]) => ({ name, mechanism })),
    upsertions: upsertions.map((one) => ({ ...plain, ...one })),
  });
}

type Names = Readonly<Record<string, string | null>>;
type Values = Readonly<Record<string, number | null>>;

async function quotas(x: Conversation, entries: readonly (readonly [Names, Values])[], validateOnly = false): Promise<void> {
  await x.call('alterClientQuotas', {
    validateOnly,
    entries: entries.map(([names, values]) => ({
      entity: Object.entries(names).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
  });
}

type Component = readonly [entityType: string, matchType: number, match: string | null];

async function described(x: Conversation, components: readonly Component[], strict = false): Promise<void> {
  // Apache Kafka's broker hears of what its controller has recorded a moment later.
  await x.topic(`told-${x.transcript.length}`);
  await x.call('describeClientQuotas', {
    components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
    strict,
  });
}

const CREDENTIALS = many('alterUserScramCredentials', 'made, replaced, told and deleted', async (x) => {
  await credentials(x, [{ name: 'a' }, { name: 'b', mechanism: SHA_512, iterations: 16384 }]);
  await credentials(x, [{ name: 'a', mechanism: SHA_512, iterations: 5000 }]);
  await x.topic('told');
  for (const users of [null, [], [{ name: 'a' }], [{ name: 'b' }, { name: 'b' }], [{ name: 'nobody' }, { name: '' }]]) {
    await x.call('describeUserScramCredentials', { users });
  }
  await credentials(x, [
    { name: 'c', iterations: 4095 },
    { name: 'd', iterations: 16385 },
    { name: '' },
    { name: 'e', mechanism: 7 },
  ]);
  await credentials(x, [{ name: 'f' }, { name: 'f', mechanism: SHA_512 }, { name: 'g', saltedPassword: Buffer.alloc(0) }]);
  await credentials(x, [{ name: 'a' }], [['a', SHA_512]]);
  await credentials(
    x,
    [],
    [
      ['nobody', SHA_256],
      ['', SHA_256],
      ['x', 9],
    ],
  );
  await credentials(
    x,
    [],
    [
      ['a', SHA_256],
      ['a', SHA_512],
    ],
  );
  await credentials(
    x,
    [],
    [
      ['a', SHA_256],
      ['b', SHA_512],
    ],
  );
  await credentials(x, [], [['a', SHA_512]]);
  await credentials(x, []);
  await x.topic('gone');
  await x.call('describeUserScramCredentials', { users: null });
});

const KEPT: readonly (readonly [Names, Values])[] = [
  [{ user: 'u' }, { producer_byte_rate: 1e12, request_percentage: 12.5 }],
  [{ user: null }, { controller_mutation_rate: 1e9 }],
  [{ user: 'u', 'client-id': 'c' }, { consumer_byte_rate: 1e12 }],
  [{ ip: '1.2.3.4' }, { connection_creation_rate: 5 }],
];

const QUOTAS = many('alterClientQuotas', 'set, told and taken away', async (x) => {
  for (const one of KEPT) await quotas(x, [one]);
  await described(x, [['user', EXACT, 'u']], true);
  await described(x, [['user', DEFAULT, null]]);
  await described(
    x,
    [
      ['user', SPECIFIED, null],
      ['client-id', SPECIFIED, null],
    ],
    true,
  );
  await described(x, [['ip', EXACT, '1.2.3.4']]);
  await quotas(x, [[{ user: 'only checked' }, { producer_byte_rate: 1e12 }]], true);
  for (const [names, values] of KEPT) {
    await quotas(x, [[names, Object.fromEntries(Object.keys(values).map((key) => [key, null]))]]);
  }
  await described(x, []);
});

const REFUSED_QUOTAS = many('alterClientQuotas', 'that may not be', async (x) => {
  const wrong: readonly (readonly [Names, Values])[] = [
    [{}, {}],
    [{ group: 'g' }, {}],
    [{ user: '' }, {}],
    [{ ip: '1.1.1.1', user: 'u' }, {}],
    [{ ip: 'no host' }, {}],
    [{ ip: '999.1.1.1' }, {}],
    [{ user: 'u' }, { bytes: 1 }],
    [{ user: 'u' }, { connection_creation_rate: 1 }],
    [{ ip: null }, { producer_byte_rate: 1 }],
    [{ user: 'u' }, { producer_byte_rate: 0 }],
    [{ user: 'u' }, { request_percentage: Number.NaN }],
    [{ user: 'u' }, { request_percentage: Number.POSITIVE_INFINITY }],
    [{ user: 'u' }, { consumer_byte_rate: 1e30 }],
    [{ ip: '::1' }, { connection_creation_rate: 1e10 }],
    [{ user: 'u' }, { producer_byte_rate: 1.5 }],
  ];
  for (const one of wrong) await quotas(x, [one]);
  const twice = { user: 'u', 'client-id': 'c' };
  await quotas(x, [
    [twice, {}],
    [twice, {}],
  ]);
});

const REFUSED_FILTERS = many('describeClientQuotas', 'by a filter that makes no sense', async (x) => {
  const wrong: readonly (readonly Component[])[] = [
    [['', EXACT, 'x']],
    [['group', EXACT, 'x']],
    [['user', EXACT, null]],
    [['user', DEFAULT, 'x']],
    [['user', SPECIFIED, 'x']],
    [['user', 7, null]],
    [
      ['user', DEFAULT, null],
      ['user', EXACT, 'x'],
    ],
    [
      ['ip', SPECIFIED, null],
      ['user', EXACT, 'x'],
    ],
  ];
  for (const components of wrong) await described(x, components);
});

export const USER_CASES: readonly Case[] = [CREDENTIALS, QUOTAS, REFUSED_QUOTAS, REFUSED_FILTERS].map((one) => ({
  ...one,
  alone: true,
}));
