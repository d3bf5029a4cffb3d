/** Where replicas are is told in one request per turn; what goes wrong with it is not passed over. */
import { expect } from 'chai';
import { ReplicaAssignments } from '../../src/host/replica-assignments.ts';
import type { MetadataLog } from '../../src/host/metadata-log.ts';

interface Asked {
  readonly assignments: readonly { readonly partitionIndex: number; readonly directoryId: string }[];
}

function started(answer: (asked: Asked) => Promise<readonly number[]>) {
  const ends: (() => void)[] = [];
  const asked: Asked[] = [];
  const controller = {
    nodeId: 1,
    isClosed: false,
    submit: (_operation: string, request: Asked) => {
      asked.push(request);
      return answer(request);
    },
  };
  const clock = { endOfTurn: (run: () => void) => void ends.push(run) };
  const assignments = new ReplicaAssignments(clock, controller as unknown as MetadataLog);
  const assign = (partitionIndex: number, directoryId: string) =>
    assignments.assign({ topicId: 'topic', partitionIndex, directoryId });
  const endTurn = (): void => {
    for (const run of ends.splice(0)) run();
  };
  return { controller, asked, assignments, assign, endTurn };
}

describe('where replicas are', () => {
  it('is told at the end of the turn, the last word for each', async () => {
    const { asked, assign, endTurn, assignments } = started(({ assignments: told }) =>
      Promise.resolve(told.map(({ partitionIndex }) => partitionIndex)),
    );
    const told = [assign(0, 'a'), assign(7, 'a'), assign(0, 'b')];
    endTurn();
    expect(await Promise.all(told)).to.deep.equal([0, 7, 0]);
    await assignments.settled();
    expect(asked.map((one) => one.assignments.map(({ directoryId }) => directoryId))).to.deep.equal([['b', 'a']]);
  });

  it('is nothing to wait for once the metadata log has failed or is stopped', async () => {
    const { controller, assign, endTurn, assignments } = started(() => Promise.reject(new Error('the metadata log is stopped')));
    const told = assign(0, 'a');
    controller.isClosed = true;
    endTurn();
    expect(await told).to.equal(undefined);
    await assignments.settled();
  });

  it('ends in any other error that comes, and keeps nobody waiting for it', async () => {
    const { assign, endTurn, assignments } = started(() => {
      throw new TypeError('no such directory');
    });
    const told = assign(0, 'a');
    endTurn();
    const failed = assignments.settled().then(
      () => null,
      (error: unknown) => String(error),
    );
    expect(await told).to.equal(undefined);
    expect(await failed).to.equal('TypeError: no such directory');
  });
});
