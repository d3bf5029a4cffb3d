/** Transactions: producers, partitions, offsets, ends, markers, what readers see of them, and what administrators ask. */
import type { Case } from '../case.ts';
import { ADMINISTRATION } from './transactions/administration.ts';
import { ENDS } from './transactions/ends.ts';
import { GROUP_OFFSETS } from './transactions/group-offsets.ts';
import { MARKERS } from './transactions/markers.ts';
import { PARTITIONS } from './transactions/partitions.ts';
import { PRODUCERS } from './transactions/producers.ts';
import { SEQUENCES } from './transactions/sequences.ts';
import { WRITES } from './transactions/writes.ts';

export const TRANSACTION_CASES: readonly Case[] = [
  ...PRODUCERS,
  ...PARTITIONS,
  ...ENDS,
  ...WRITES,
  ...SEQUENCES,
  ...GROUP_OFFSETS,
  ...MARKERS,
  ...ADMINISTRATION,
];
