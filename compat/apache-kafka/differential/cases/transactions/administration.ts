/** What administrators ask: descriptions and lists. */
import { type Case, many } from '../../case.ts';
import { coordinated, producerOf, add, describe } from './acts.ts';

export const ADMINISTRATION: readonly Case[] = [
  many('describeTransactions', 'open, idle, unknown, without a name', async (x) => {
    const topic = await x.topic('a', 3);
    const [open, idle] = [await producerOf(x, 'open'), await producerOf(x, 'idle', { transactionTimeoutMs: 12_345 })];
    await add(x, open, topic, 1);
    await describe(x, open.transactionalId, idle.transactionalId, await coordinated(x, 'nobody'), '');
    await describe(x);
  }),
  many('listTransactions', 'all, some states, some producers, long ones, by name', async (x) => {
    const topic = await x.topic('a');
    const [open, idle] = [await producerOf(x, 'open'), await producerOf(x, 'idle')];
    await add(x, open, topic, 0);
    const list = (more = {}) => x.call('listTransactions', { stateFilters: [], producerIdFilters: [], ...more });
    await list();
    for (const states of [['Ongoing'], ['Empty', 'Ongoing'], ['PrepareEpochFence', 'Dead'], ['nonsense', 'ongoing'], ['']]) {
      await list({ stateFilters: states });
    }
    await list({ producerIdFilters: [open.producerId] });
    await list({ producerIdFilters: [idle.producerId, 999_999_999n] });
    await list({ producerIdFilters: [999_999_999n] });
    for (const durationFilter of [0, 3_600_000, -5]) await list({ durationFilter });
    const prefix = x.name('');
    for (const pattern of [`${prefix}op.*`, `${prefix}op`, `.*-(idle|open)`, '', '[', '(?=a)', 'a{2000}', '(a)\\1', '(?i)OPEN']) {
      await list({ transactionalIdPattern: pattern });
    }
  }),
];
