/** The checker of histories finds each anomaly: a history without fault has none, and one fault in it is called by its name and no other. */
import { expect } from 'chai';
import { ANOMALIES, anomaliesOf, type AnomalyName } from '../../compat/consistency/checker.ts';
import { componentsOf, cyclesOf } from '../../compat/consistency/cycles.ts';
import type { Attempt, CommittedOffset, Entry, History, Move, Outcome, Poll, Send } from '../../compat/consistency/history.ts';

const LOG = 'events-0';
const OTHER = 'events-1';

const send = (
  log: string,
  offset: number | undefined,
  values: readonly string[],
  startedAt: number,
  endedAt: number | undefined = startedAt + 1,
): Send => ({
  kind: 'send',
  log,
  values,
  startedAt,
  endedAt,
  offset,
});

const poll = (log: string, from: number, next: number, entries: readonly Entry[], startedAt: number, session = 'r/0'): Poll => ({
  kind: 'poll',
  log,
  session,
  from,
  next,
  entries,
  startedAt,
  endedAt: startedAt + 1,
});

const entry = (offset: number, value: string): Entry => ({ offset, value });

/** A transaction from `startedAt` to ten later; its commit is asked for at five, unless it is aborted. */
function transaction(
  name: string,
  transactionalId: string | null,
  startedAt: number,
  steps: Attempt['steps'],
  outcome: Outcome = 'committed',
): Attempt {
  const commitAt = outcome === 'aborted' || transactionalId === null ? undefined : startedAt + 5;
  return { name, transactionalId, steps, startedAt, commitAt, endedAt: startedAt + 10, outcome };
}

function history(
  attempts: readonly Attempt[],
  logs: Readonly<Record<string, readonly Entry[]>>,
  offsets: readonly CommittedOffset[] = [],
  stable?: number,
): History {
  const surveys = Object.entries(logs).map(([log, entries]) => {
    const highWatermark = (entries.at(-1)?.offset ?? -1) + 2;
    return { log, entries, highWatermark, lastStableOffset: stable ?? highWatermark };
  });
  return { attempts, surveys, offsets };
}

const move = (from: number, to: number): Move => ({ kind: 'move', group: 'copier', log: LOG, from, to });

/** Copies by way of the group: each moves its offset and writes one record. */
function copied(moves: readonly Move[], committed: number): History {
  const attempts = moves.map((one, i) => transaction(`t${i}`, 'x', i * 20, [send(OTHER, i * 2, [`c${i}`], i * 20 + 1), one]));
  return history(attempts, { [OTHER]: moves.map((_, i) => entry(i * 2, `c${i}`)) }, [
    { group: 'copier', log: LOG, offset: committed },
  ]);
}

/** Two transactions one after the other, a consumer that reads both. */
const sound = history(
  [
    transaction('t1', 'x', 0, [send(LOG, 0, ['a', 'b'], 1), send(OTHER, 0, ['c'], 3)]),
    transaction('t2', 'y', 20, [send(LOG, 3, ['d'], 21)], 'aborted'),
    transaction('t3', 'x', 40, [poll(LOG, 0, 3, [entry(0, 'a'), entry(1, 'b')], 41, 'w/0'), send(LOG, 5, ['e'], 42)], 'unknown'),
    transaction('p1', null, 60, [poll(LOG, 0, 3, [entry(0, 'a'), entry(1, 'b')], 60)]),
    transaction('p2', null, 70, [poll(LOG, 3, 7, [entry(5, 'e')], 70)]),
  ],
  { [LOG]: [entry(0, 'a'), entry(1, 'b'), entry(5, 'e')], [OTHER]: [entry(0, 'c')] },
);

const one = (name: string, steps: Attempt['steps'], log: readonly Entry[], outcome: Outcome = 'committed'): History =>
  history([transaction(name, 'x', 0, steps, outcome)], { [LOG]: log });

const read = (entries: readonly Entry[], next: number, from = 0, at = 50): Attempt =>
  transaction(`p${at}`, null, at, [poll(LOG, from, next, entries, at)]);

/** One fault each. */
const FAULTY: Readonly<Record<AnomalyName, History>> = {
  'lost-write': one('t1', [send(LOG, 0, ['a', 'b'], 1)], [entry(0, 'a')]),
  'torn-transaction': history([transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1), send(OTHER, 0, ['b'], 3)], 'unknown')], {
    [LOG]: [entry(0, 'a')],
    [OTHER]: [],
  }),
  'aborted-read': history([transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1)], 'aborted'), read([entry(0, 'a')], 1)], {
    [LOG]: [],
  }),
  'early-read': history([transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1)]), read([entry(0, 'a')], 1, 0, 2)], {
    [LOG]: [entry(0, 'a')],
  }),
  'unwritten-read': history([read([entry(0, 'ghost')], 1)], { [LOG]: [] }),
  duplicate: one('t1', [send(LOG, 0, ['a'], 1)], [entry(0, 'a'), entry(1, 'a')]),
  'moved-write': one('t1', [send(LOG, 0, ['a'], 1)], [entry(1, 'a')]),
  'nonmonotonic-poll': history(
    [
      transaction('t1', 'x', 0, [send(LOG, 0, ['a', 'b'], 1)]),
      read([entry(0, 'a'), entry(1, 'b')], 2),
      read([entry(1, 'b')], 2, 1, 70),
    ],
    { [LOG]: [entry(0, 'a'), entry(1, 'b')] },
  ),
  'skipped-poll': history([transaction('t1', 'x', 0, [send(LOG, 0, ['a', 'b'], 1)]), read([entry(1, 'b')], 2)], {
    [LOG]: [entry(0, 'a'), entry(1, 'b')],
  }),
  'nonmonotonic-send': history(
    [transaction('t1', 'x', 0, [send(LOG, 4, ['a'], 1)]), transaction('t2', 'y', 20, [send(LOG, 0, ['b'], 21)])],
    { [LOG]: [entry(0, 'b'), entry(4, 'a')] },
  ),
  'write-cycle': history(
    [
      transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1), send(OTHER, 4, ['b'], 3)]),
      transaction('t2', 'x', 0, [send(LOG, 4, ['c'], 3), send(OTHER, 0, ['d'], 1)]),
    ],
    { [LOG]: [entry(0, 'a'), entry(4, 'c')], [OTHER]: [entry(0, 'd'), entry(4, 'b')] },
  ),
  'read-cycle': history(
    [
      { ...transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1), poll(OTHER, 0, 1, [entry(0, 'b')], 7, 'w/1')]), commitAt: 2 },
      { ...transaction('t2', 'y', 0, [send(OTHER, 0, ['b'], 1), poll(LOG, 0, 1, [entry(0, 'a')], 7, 'w/2')]), commitAt: 2 },
    ],
    { [LOG]: [entry(0, 'a')], [OTHER]: [entry(0, 'b')] },
  ),
  internal: one('t1', [send(LOG, 0, ['a'], 1), poll(LOG, 0, 1, [entry(0, 'a')], 7, 'w/0')], [entry(0, 'a')]),
  'hanging-transaction': history([transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1)])], { [LOG]: [entry(0, 'a')] }, [], 1),
  'processed-twice': copied([move(0, 5), move(3, 7)], 7),
  'skipped-offsets': copied([move(0, 5), move(6, 7)], 7),
  'lost-offset': copied([move(0, 5), move(5, 7)], 5),
};

const namesIn = (of: History): string[] => [...new Set(anomaliesOf(of).map(({ name }) => name))];

describe('the consistency checker', () => {
  it('finds nothing in a sound history', () => {
    expect(anomaliesOf(sound)).to.deep.equal([]);
    expect(anomaliesOf(copied([move(0, 5), move(5, 7)], 7))).to.deep.equal([]);
  });

  for (const name of Object.keys(ANOMALIES) as AnomalyName[]) {
    it(`finds ${name}, and nothing else`, () => {
      expect(namesIn(FAULTY[name])).to.deep.equal([name]);
    });
  }

  it('lets transactions that run at the same time lie interleaved', () => {
    const [first, second] = [
      transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1), send(OTHER, 4, ['b'], 3)]),
      transaction('t2', 'y', 0, [send(LOG, 4, ['c'], 3), send(OTHER, 0, ['d'], 1)]),
    ];
    const logs = { [LOG]: [entry(0, 'a'), entry(4, 'c')], [OTHER]: [entry(0, 'd'), entry(4, 'b')] };
    expect(anomaliesOf(history([first, second], logs))).to.deep.equal([]);
  });

  it('takes a transaction without an answer for committed when it is seen, and for aborted when it is not', () => {
    const steps = [send(LOG, 0, ['a', 'b'], 1)];
    expect(namesIn(one('t1', steps, [], 'unknown'))).to.deep.equal([]);
    expect(namesIn(one('t1', steps, [entry(0, 'a'), entry(1, 'b')], 'unknown'))).to.deep.equal([]);
  });

  it('finds a cycle through time: who read it before, wrote it after', () => {
    const early = transaction('p1', null, 0, [poll(LOG, 0, 1, [entry(0, 'a')], 1)]);
    const late = { ...transaction('t1', 'x', 30, [send(LOG, 0, ['a'], 31)]), commitAt: 1 };
    expect(namesIn(history([early, late], { [LOG]: [entry(0, 'a')] }))).to.deep.equal(['read-cycle']);
  });

  it('finds two records at one offset', () => {
    const attempts = [
      transaction('t1', 'x', 0, [send(LOG, 0, ['a'], 1)]),
      transaction('t2', 'y', 0, [send(LOG, undefined, ['b'], 1, undefined)], 'unknown'),
    ];
    expect(namesIn(history([...attempts, read([entry(0, 'b')], 1)], { [LOG]: [entry(0, 'a')] }))).to.include('moved-write');
  });
});

describe('cycles in graphs', () => {
  const edge = (from: number, to: number) => ({ from, to, label: 'e', because: '' });

  it('are found in each component, the shortest one first', () => {
    const edges = [edge(1, 2), edge(2, 3), edge(3, 1), edge(3, 4), edge(4, 5), edge(5, 4), edge(2, 1), edge(6, 1)];
    const cycles = cyclesOf(edges).map((cycle) => cycle.map(({ from }) => from).sort((a, b) => a - b));
    expect(cycles.map((cycle) => cycle.join())).to.have.members(['4,5', '1,2']);
  });

  it('are none in a long chain, however deep', () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => i);
    expect(componentsOf(nodes, (node) => (node + 1 < nodes.length ? [node + 1] : []))).to.deep.equal([]);
  });
});
