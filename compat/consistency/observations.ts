/** What the checks share: who sent a value, where it ended up, and which attempts took effect. */
import type { Attempt, Entry, History, Poll, Send } from './history.ts';

export const sendsOf = (attempt: Attempt): readonly Send[] => attempt.steps.filter((step) => step.kind === 'send');
export const pollsOf = (attempt: Attempt): readonly Poll[] => attempt.steps.filter((step) => step.kind === 'poll');

export interface Sent {
  readonly attempt: Attempt;
  readonly send: Send;
  /** The offset that the acknowledgement gave it. */
  readonly toldOffset: number | undefined;
}

export interface Observations {
  readonly history: History;
  /** By log and value, `log value`. */
  readonly sent: ReadonlyMap<string, Sent>;
  /** By log: what is committed in the end, in order. */
  readonly orders: ReadonlyMap<string, readonly Entry[]>;
  /** By log and value: the offset in the end. */
  readonly offsets: ReadonlyMap<string, number>;
  /** Attempts whose effect is known: told so, or seen in what is committed. */
  readonly effective: ReadonlySet<Attempt>;
}

export const keyOf = (log: string, value: string): string => `${log} ${value}`;

export function observe(history: History): Observations {
  const sent = new Map<string, Sent>();
  for (const attempt of history.attempts) {
    for (const send of sendsOf(attempt)) {
      for (const [i, value] of send.values.entries()) {
        const toldOffset = send.offset === undefined ? undefined : send.offset + i;
        sent.set(keyOf(send.log, value), { attempt, send, toldOffset });
      }
    }
  }
  const orders = new Map(history.surveys.map(({ log, entries }) => [log, entries]));
  const offsets = new Map<string, number>();
  const effective = new Set(history.attempts.filter(({ outcome }) => outcome === 'committed'));
  for (const [log, entries] of orders) {
    for (const { offset, value } of entries) {
      const key = keyOf(log, value);
      if (!offsets.has(key)) offsets.set(key, offset);
      const writer = sent.get(key)?.attempt;
      if (writer?.outcome === 'unknown') effective.add(writer);
    }
  }
  return { history, sent, orders, offsets, effective };
}
