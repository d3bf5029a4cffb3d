/**
 * Says what in a history a broker that keeps Kafka's promises cannot have done, in the manner of Jepsen's checker for logs and of Elle.
 *
 * Kafka promises less than a database. Records of transactions that run at the same time lie interleaved in a log, so that one may come first in one log and last in
 * another: no write cycle. But the transactions of one transactional id come one after another, and nobody reads what is not committed; so the commits of all attempts
 * have one order that agrees with what was read (`wr`), with the offsets of what one transactional id wrote (`ww`), and with time where one ended before another began
 * (`rt`). A cycle breaks that. Names in brackets are Adya's, or those of Jepsen's reports.
 */
import { cyclesOf, type Edge } from './cycles.ts';
import type { Attempt, History, Move, Poll, Send } from './history.ts';
import { keyOf, observe, pollsOf, sendsOf, type Observations } from './observations.ts';

export const ANOMALIES = {
  'lost-write': 'a record of a committed transaction is not there in the end',
  'torn-transaction': 'some of the records of a transaction are committed, others are not',
  'aborted-read': 'a record of a transaction that was never committed was read (G1a)',
  'early-read': 'a record was read before its commit was asked for',
  'unwritten-read': 'a record was read that nobody sent',
  duplicate: 'a record is in a log twice',
  'moved-write': 'a record is at another offset than its acknowledgement said, or an offset holds two records',
  'nonmonotonic-poll': 'a consumer went back in a log',
  'skipped-poll': 'a consumer went past a committed record without seeing it',
  'nonmonotonic-send': 'a record that was sent after another was acknowledged lies before it',
  'write-cycle': 'transactions of one transactional id each wrote before the other (G0)',
  'read-cycle': 'transactions each read from the other, or from the past of their own future (G1c)',
  internal: 'a transaction read its own records before it was committed, or its own reads or writes are out of order',
  'hanging-transaction': 'every transaction was ended, and readers of committed records still wait in a log',
  'processed-twice': 'two transactions moved the offset of a group past the same records',
  'skipped-offsets': 'the offset of a group was moved past records that no committed transaction processed',
  'lost-offset': 'the committed offset of a group is not where the last transaction moved it',
} as const;

export type AnomalyName = keyof typeof ANOMALIES;

export interface Anomaly {
  readonly name: AnomalyName;
  readonly evidence: string;
}

type Check = (seen: Observations) => Anomaly[];

const CHECKS: readonly Check[] = [
  lostWrites,
  tornTransactions,
  reads,
  places,
  sessions,
  sendOrder,
  cycles,
  internal,
  hanging,
  groupOffsets,
];

/** Every anomaly in the history; none when all is well. */
export function anomaliesOf(history: History): Anomaly[] {
  const seen = observe(history);
  return CHECKS.flatMap((check) => check(seen));
}

function lostWrites({ history, offsets }: Observations): Anomaly[] {
  return history.attempts
    .filter(({ outcome }) => outcome === 'committed')
    .flatMap((attempt) =>
      missingOf(attempt, offsets).map((what) => ({ name: 'lost-write', evidence: `${attempt.name}: ${what}` }) as const),
    );
}

const missingOf = (attempt: Attempt, offsets: ReadonlyMap<string, number>): string[] =>
  sendsOf(attempt).flatMap(({ log, values }) =>
    values.filter((value) => !offsets.has(keyOf(log, value))).map((value) => `${value} in ${log}`),
  );

/** A client that asked for a commit had every acknowledgement before, so all of it is there or nothing. */
function tornTransactions({ effective, offsets }: Observations): Anomaly[] {
  return [...effective]
    .filter(({ outcome }) => outcome === 'unknown')
    .flatMap((attempt) => {
      const missing = missingOf(attempt, offsets);
      return missing.length === 0
        ? []
        : [{ name: 'torn-transaction', evidence: `${attempt.name} is committed without ${missing.join(', ')}` } as const];
    });
}

/** Everything that was read, by whom. */
function* everyRead({
  history,
}: Observations): Generator<{ log: string; offset: number; value: string; by: string; poll: Poll | undefined }> {
  for (const attempt of history.attempts)
    for (const poll of pollsOf(attempt))
      for (const entry of poll.entries) yield { ...entry, log: poll.log, by: attempt.name, poll };
  for (const { log, entries } of history.surveys)
    for (const entry of entries) yield { ...entry, log, by: 'the survey', poll: undefined };
}

function reads(seen: Observations): Anomaly[] {
  const found: Anomaly[] = [];
  for (const { log, offset, value, by, poll } of everyRead(seen)) {
    const writer = seen.sent.get(keyOf(log, value))?.attempt;
    const what = `${value} at ${log}@${offset}, read by ${by}`;
    if (writer === undefined) found.push({ name: 'unwritten-read', evidence: what });
    else if (writer.outcome === 'aborted') found.push({ name: 'aborted-read', evidence: what });
    else if (poll !== undefined && (writer.commitAt === undefined || poll.endedAt < writer.commitAt))
      found.push({ name: 'early-read', evidence: `${what} at ${poll.endedAt}, its commit was asked for at ${writer.commitAt}` });
  }
  return found;
}

function places(seen: Observations): Anomaly[] {
  const found: Anomaly[] = [];
  const offsets = new Map<string, number>();
  const values = new Map<string, string>();
  for (const { log, offset, value, by } of everyRead(seen)) {
    const [key, place] = [keyOf(log, value), `${log}@${offset}`];
    const [before, other] = [offsets.get(key), values.get(place)];
    if (before !== undefined && before !== offset)
      found.push({ name: 'duplicate', evidence: `${value} at ${log}@${before} and @${offset}, read by ${by}` });
    if (other !== undefined && other !== value)
      found.push({ name: 'moved-write', evidence: `${place} holds ${other} and ${value}` });
    offsets.set(key, offset);
    values.set(place, value);
    const told = seen.sent.get(key)?.toldOffset;
    // A client that sends again is told where the first one is, so a duplicate shows as two places above.
    if (told !== undefined && told !== offset && before === undefined)
      found.push({ name: 'moved-write', evidence: `${value} is at ${place}, its acknowledgement said ${told}` });
  }
  return found;
}

function sessions({ history, orders }: Observations): Anomaly[] {
  const found: Anomaly[] = [];
  const ends = new Map<string, number>();
  for (const attempt of history.attempts) {
    for (const poll of pollsOf(attempt)) {
      const session = `${poll.session} of ${poll.log}`;
      const end = ends.get(session);
      const got = poll.entries.map(({ offset }) => offset);
      if (
        (end !== undefined && end !== poll.from) ||
        got.some((offset, i) => offset < (i === 0 ? poll.from : (got[i - 1] ?? 0) + 1))
      )
        found.push({
          name: 'nonmonotonic-poll',
          evidence: `${session}: began at ${poll.from} after ${end}, saw ${got.join(' ')}`,
        });
      ends.set(session, poll.next);
      const seen = new Set(got);
      const skipped = between(orders.get(poll.log) ?? [], poll.from, poll.next).filter(({ offset }) => !seen.has(offset));
      if (skipped.length > 0)
        found.push({
          name: 'skipped-poll',
          evidence: `${session}: ${poll.from} to ${poll.next} without ${skipped.map(({ offset, value }) => `${value}@${offset}`).join(' ')}`,
        });
    }
  }
  return found;
}

/** The entries from `from` up to `to`, found by halving: orders are long. */
function between<E extends { readonly offset: number }>(order: readonly E[], from: number, to: number): readonly E[] {
  const indexOf = (offset: number): number => {
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((order[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return order.slice(indexOf(from), indexOf(to));
}

interface AcknowledgedSend extends Send {
  readonly offset: number;
  readonly endedAt: number;
}

function sendOrder({ history }: Observations): Anomaly[] {
  const found: Anomaly[] = [];
  const byLog = new Map<string, AcknowledgedSend[]>();
  for (const attempt of history.attempts) {
    for (const send of sendsOf(attempt)) {
      const { offset, endedAt } = send;
      if (offset === undefined || endedAt === undefined) continue;
      const list = byLog.get(send.log) ?? [];
      if (list.length === 0) byLog.set(send.log, list);
      list.push({ ...send, offset, endedAt });
    }
  }
  for (const [log, sends] of byLog) {
    sends.sort((a, b) => b.offset - a.offset);
    let earliest: AcknowledgedSend | undefined;
    for (const send of sends) {
      if (earliest !== undefined && earliest.endedAt < send.startedAt)
        found.push({
          name: 'nonmonotonic-send',
          evidence: `${log}: ${send.values[0]}@${send.offset} was sent after ${earliest.values[0]}@${earliest.offset} was acknowledged`,
        });
      if (earliest === undefined || send.endedAt < earliest.endedAt) earliest = send;
    }
  }
  return found;
}

function cycles(seen: Observations): Anomaly[] {
  const edges = [...readEdges(seen), ...writeEdges(seen), ...timeEdges(seen)];
  return cyclesOf(edges).map((cycle) => ({
    name: cycle.every(({ label }) => label === 'ww') ? 'write-cycle' : 'read-cycle',
    evidence: cycle.map(({ from, to, label, because }) => `${from.name} -${label}-> ${to.name} (${because})`).join(', '),
  }));
}

function readEdges({ sent, effective }: Observations): Edge<Attempt>[] {
  return [...effective].flatMap((reader) =>
    pollsOf(reader).flatMap(({ log, entries }) =>
      entries.flatMap(({ offset, value }) => {
        const writer = sent.get(keyOf(log, value))?.attempt;
        if (writer === undefined || writer === reader || !effective.has(writer)) return [];
        return [{ from: writer, to: reader, label: 'wr', because: `${value} at ${log}@${offset}` }];
      }),
    ),
  );
}

/** From one attempt to the one that wrote next in the same log under the same transactional id. */
function writeEdges({ sent, orders }: Observations): Edge<Attempt>[] {
  const edges: Edge<Attempt>[] = [];
  for (const [log, entries] of orders) {
    const last = new Map<string, Attempt>();
    for (const { offset, value } of entries) {
      const writer = sent.get(keyOf(log, value))?.attempt;
      if (writer === undefined || writer.transactionalId === null) continue;
      const before = last.get(writer.transactionalId);
      if (before !== undefined && before !== writer)
        edges.push({ from: before, to: writer, label: 'ww', because: `${log}@${offset}` });
      last.set(writer.transactionalId, writer);
    }
  }
  return edges;
}

/** From an attempt that was told to be committed to those that began after it, the nearest ones only: the others follow. */
function timeEdges({ effective }: Observations): Edge<Attempt>[] {
  const starts = [...effective].sort((a, b) => a.startedAt - b.startedAt);
  // The earliest end among the attempts from each one on: what begins after that is reached by way of it.
  const reach = new Array<number>(starts.length + 1).fill(Infinity);
  for (let i = starts.length - 1; i >= 0; i--) {
    const one = starts[i];
    reach[i] = Math.min(reach[i + 1] ?? Infinity, one?.outcome === 'committed' ? one.endedAt : Infinity);
  }
  return starts
    .filter(({ outcome }) => outcome === 'committed')
    .flatMap((from) => {
      const first = firstAfter(starts, from.endedAt);
      return starts
        .slice(first, firstAfter(starts, reach[first] ?? Infinity))
        .map((to) => ({ from, to, label: 'rt', because: `ended at ${from.endedAt}, began at ${to.startedAt}` }));
    });
}

function firstAfter(starts: readonly Attempt[], time: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle]?.startedAt ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function internal({ history }: Observations): Anomaly[] {
  const found: Anomaly[] = [];
  for (const attempt of history.attempts) {
    const own = new Set(sendsOf(attempt).flatMap(({ log, values }) => values.map((value) => keyOf(log, value))));
    const ends = new Map<string, number>();
    for (const step of attempt.steps) {
      if (step.kind === 'poll' && attempt.transactionalId !== null) {
        const mine = step.entries.filter(({ value }) => own.has(keyOf(step.log, value)));
        for (const { value, offset } of mine)
          found.push({ name: 'internal', evidence: `${attempt.name} read its own ${value} at ${step.log}@${offset}` });
      } else if (step.kind === 'send' && step.offset !== undefined) {
        const end = ends.get(step.log);
        if (end !== undefined && step.offset < end)
          found.push({
            name: 'internal',
            evidence: `${attempt.name} wrote ${step.values[0]} at ${step.log}@${step.offset}, after its own at ${end - 1}`,
          });
        ends.set(step.log, step.offset + step.values.length);
      }
    }
  }
  return found;
}

function hanging({ history }: Observations): Anomaly[] {
  return history.surveys
    .filter(({ lastStableOffset, highWatermark }) => lastStableOffset !== highWatermark)
    .map(({ log, lastStableOffset, highWatermark }) => ({
      name: 'hanging-transaction',
      evidence: `${log} ends at ${highWatermark}, and is stable up to ${lastStableOffset}`,
    }));
}

/** The moves of all transactions that took effect lie end to end, from the start of the log to where the group stands. */
function groupOffsets({ history, effective }: Observations): Anomaly[] {
  const moves = [...effective].flatMap((attempt) =>
    attempt.steps.filter((step): step is Move => step.kind === 'move').map((move) => ({ ...move, by: attempt.name })),
  );
  return history.offsets.flatMap(({ group, log, offset }) => {
    const found: Anomaly[] = [];
    const own = moves.filter((move) => move.group === group && move.log === log).sort((a, b) => a.from - b.from || a.to - b.to);
    let [end, last] = [0, 'the start'];
    for (const { from, to, by } of own) {
      const evidence = `${group} at ${log}: ${by} went from ${from} to ${to}, ${last} had come to ${end}`;
      if (from < end) found.push({ name: 'processed-twice', evidence });
      if (from > end) found.push({ name: 'skipped-offsets', evidence });
      [end, last] = [Math.max(end, to), by];
    }
    if (Math.max(0, offset) !== end)
      found.push({ name: 'lost-offset', evidence: `${group} at ${log}: committed is ${offset}, ${last} had come to ${end}` });
    return found;
  });
}
