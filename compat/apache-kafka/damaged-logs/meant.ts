/**
 * Where the two are meant to differ after a damage, and why. The same questions are asked of the log without its damage: most of what differs is that Blumfeld
 * still answers as it would there.
 */
import type { Damage } from './damage.ts';
import type { View } from './look.ts';

/** One damaged log: as both show it, and as it was. */
export interface Seen {
  readonly damage: Damage | undefined;
  readonly theirs: View;
  readonly ours: View;
  readonly truth: View;
}

const SOUND_AS_EVER = 'Blumfeld answers as without the damage';
const OTHER_ERROR =
  'what cannot be read is CORRUPT_MESSAGE, whatever is wrong with it; in Apache Kafka also UNKNOWN_SERVER_ERROR or INVALID_RECORD';
const NO_WRONG_BATCH = 'a batch with offsets that cannot be there is CORRUPT_MESSAGE; Apache Kafka hands it out';
const NEXT_RECORD =
  'the first record that is left with the time or a later one is found; Apache Kafka looks in one segment only, and into what has a wrong checksum';
const AS_IT_STANDS =
  'a batch is handed out as it is stored, its wrong checksum with it; Apache Kafka finds none, or fails, where the next one cannot be read';
const TIME_IN_UNSOUND =
  'a time that leads into a batch with a wrong checksum is CORRUPT_MESSAGE; Apache Kafka reads its records all the same';
const KEPT_MORE = 'Blumfeld keeps more of the log: offsets, times, epochs and appends follow';

const SEQUENCE_IN_WRONG_BATCH =
  'what a producer wrote in a batch with offsets that cannot be there does not count after a kill; in Apache Kafka it does';

const FOREIGN =
  'a file with the records of another segment is CORRUPT_MESSAGE throughout; Apache Kafka hands out what its index leads to';
const BEHIND_A_TORN_END = 'what is no batch at the end is cut off, and what is appended is read; in Apache Kafka it is lost';

const ERROR = /^error |^(?:2|87|-1) /;
const offsetIn = (view: View, fact: string): number => Number(/^0 (-?\d+)/.exec(view.get(fact) ?? '')?.[1] ?? -1);
/** Of batches that were there before. */
const isBatch = (fact: string): boolean => /^(?:batch|committed) at /.test(fact);
const firstOf = (shown: string | undefined): number => Number(/^(\d+)/.exec(shown ?? '')?.[1] ?? -1);

/** Theirs is no batch that belongs at the offset. */
function isWrongBatch({ theirs, truth }: Seen, fact: string): boolean {
  const shown = theirs.get(fact) ?? '';
  return shown.includes('unsound') || shown === 'no batch' || shown === 'nothing' || firstOf(shown) !== firstOf(truth.get(fact));
}

const offsetsOf = (view: View): number[] =>
  [...view.keys()].flatMap((fact) => /^batch at (\d+)$/.exec(fact)?.[1] ?? []).map(Number);

/** The batch with the offset that theirs found, as theirs shows it. */
function foundBatch({ theirs, truth }: Seen, fact: string): string {
  const found = offsetIn(theirs, fact);
  return theirs.get(`batch at ${offsetsOf(truth).findLast((offset) => offset <= found)}`) ?? '';
}

/** Blumfeld shows the batch with the offset as it was. */
function isThere({ ours, truth }: Seen, offset: number): boolean {
  const fact = `batch at ${offsetsOf(truth).findLast((first) => first <= offset)}`;
  return ours.get(fact) === truth.get(fact);
}

/** Blumfeld's first record with a time or a later one is there, at or behind where it was without the damage; or has been appended since. */
function isNextRecord(seen: Seen, fact: string): boolean {
  const [found, undamaged] = [offsetIn(seen.ours, fact), offsetIn(seen.truth, fact)];
  if (found >= offsetIn(seen.ours, 'end')) return true;
  return found >= 0 && isThere(seen, found) && (fact.startsWith('greatest') || found >= undamaged);
}

/** Blumfeld shows more batches as they were, or to a later end; and none that the other shows as it was does it not, nor an end where neither was. */
function keepsMore({ theirs, ours, truth }: Seen): boolean {
  const ends = [ours, theirs, truth].map((view) => offsetIn(view, 'end'));
  const [end = 0, theirEnd = 0, trueEnd = 0] = ends;
  if (end < theirEnd || end > Math.max(theirEnd, trueEnd)) return false;
  const different = [...truth.keys()].filter((fact) => isBatch(fact) && theirs.get(fact) !== ours.get(fact));
  if (different.some((fact) => theirs.get(fact) === truth.get(fact))) return false;
  return end > theirEnd || different.some((fact) => ours.get(fact) === truth.get(fact));
}

/** The same producers, some of them with an earlier last sequence, where Blumfeld refuses to hand out a batch that Apache Kafka does. */
function lacksSequences({ theirs, ours }: Seen, fact: string): boolean {
  const [those, these] = [theirs, ours].map((view) => (view.get(fact) ?? '').split(', ').map((producer) => producer.split('/')));
  const isRefused = [...ours.keys()].some(
    (one) => isBatch(one) && ours.get(one) === 'error 2' && !ERROR.test(theirs.get(one) ?? ''),
  );
  if (!isRefused || those?.length !== these?.length) return false;
  return (these ?? []).every((one, index) => {
    const other = those?.[index] ?? [];
    const isOlder = Number(one[2]) < Number(other[2]);
    return one.every((field, column) => field === other[column] || (column === 2 && isOlder));
  });
}

/** Why the fact may differ; undefined where it may not. */
export function reasonFor(seen: Seen, fact: string): string | undefined {
  const [theirs, ours] = [seen.theirs.get(fact) ?? '', seen.ours.get(fact) ?? ''];
  if (ours === seen.truth.get(fact)) return SOUND_AS_EVER;
  if (ERROR.test(theirs) && ERROR.test(ours)) return OTHER_ERROR;
  if (seen.damage?.way === 'swapped' && seen.damage.file.endsWith('.log')) return FOREIGN;
  if (isBatch(fact) && ours === 'error 2' && isWrongBatch(seen, fact)) return NO_WRONG_BATCH;
  const hasNone = theirs === 'nothing' || ERROR.test(theirs);
  if (isBatch(fact) && hasNone && ours === `${firstOf(seen.truth.get(fact))} unsound`) return AS_IT_STANDS;
  if (fact.endsWith(', read') && ours.startsWith(`${offsetIn(seen.ours, fact.replace(/, read$/, ''))}-`))
    return BEHIND_A_TORN_END;
  if (/ time/.test(fact) && offsetIn(seen.theirs, fact) < 0 && isNextRecord(seen, fact)) return NEXT_RECORD;
  if (/ time/.test(fact) && foundBatch(seen, fact).includes('unsound') && isNextRecord(seen, fact)) return NEXT_RECORD;
  if (/ time/.test(fact) && ours.startsWith('2 ') && foundBatch(seen, fact).includes('unsound')) return TIME_IN_UNSOUND;
  if (isBatch(fact) && theirs !== 'error 1') return undefined;
  if (fact.startsWith('producers') && lacksSequences(seen, fact)) return SEQUENCE_IN_WRONG_BATCH;
  return keepsMore(seen) ? KEPT_MORE : undefined;
}
