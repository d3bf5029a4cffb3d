/**
 * Credentials and quotas: they belong to the whole cluster, so each case takes away again what it has set, and has the brokers to itself.
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

type Component = readonly [entityType: string, matchType: number, match: string | null];

async function described(x: Conversation, components: readonly Component[], strict = false): Promise<void> {
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

const NO_QUOTAS = many('describeClientQuotas', 'where there are none', async (x) => {
  await described(x, []);
  await described(x, [['user', EXACT, 'u']], true);
  await described(x, [['user', DEFAULT, null]]);
  await described(x, [['ip', SPECIFIED, null]]);
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

export const USER_CASES: readonly Case[] = [CREDENTIALS, NO_QUOTAS, REFUSED_FILTERS].map((one) => ({
  ...one,
  alone: true,
}));
