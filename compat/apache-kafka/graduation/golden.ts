/**
 * The data directories that Apache Kafka made (`../shared/protocol/disk`): Blumfeld opens each as it is and shows what Apache Kafka shows on a copy of it, adds to it,
 * and Apache Kafka opens it again, adds to it, and so on.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FACTS as PROTOCOL } from '../../../test/support/protocol-data.ts';
import { newDirectory, type Owner, ownedBy } from '../directory-owner.ts';
import { difference, type Facts, factsOf } from './facts.ts';
import { LASTING } from './settings.ts';
import { add, goOn, known, type Left, startIsKept } from './workload.ts';

export const GOLDEN = ['before-cleaning', 'after-cleaning', 'killed'] as const;
/** The groups in them that are classic and empty. */
const GROUPS = ['classic-group', 'txn-group'];

export async function graduateGolden(
  jars: string,
  folder: string,
  name: string,
  check: (name: string, fault: string | undefined) => void,
): Promise<string> {
  const dirs = ['original', 'data'].map((dir) => join(folder, dir, 'logs'));
  for (const dir of dirs) {
    mkdirSync(dir, { recursive: true });
    execFileSync('tar', ['xzf', join(PROTOCOL, 'disk', `${name}.tar.gz`), '-C', dir]);
  }
  const [original = '', data = ''] = dirs;
  const more = [
    ...LASTING,
    'offsets.topic.num.partitions=2',
    'transaction.state.log.num.partitions=2',
    'share.coordinator.state.topic.num.partitions=1',
  ];
  const look = (rounds: number) => ({
    groups: [...GROUPS, ...known(rounds).groups],
    transactionalIds: known(rounds).transactionalIds,
  });
  const untouched = await newDirectory(join(folder, 'original'), more, [original]);
  let facts: Facts = await ownedBy(untouched, 'Apache Kafka', jars, (client) => factsOf(client, look(0)), 'SIGKILL');
  const directory = await newDirectory(join(folder, 'data'), more, [data]);
  let left: Left | undefined;
  const owners: readonly Owner[] = ['Blumfeld', 'Apache Kafka', 'Blumfeld'];
  for (const [index, owner] of owners.entries()) {
    await ownedBy(directory, owner, jars, async (client) => {
      check(
        `${owner} finds all ${facts.size} facts in ${name}, step ${index + 1}`,
        difference(facts, await factsOf(client, look(index))),
      );
      if (left !== undefined) await goOn(client, index + 1, left);
      left = await add(client, index + 1);
      await startIsKept([data], left.topic);
      facts = await factsOf(client, look(index + 1));
    });
  }
  return data;
}
