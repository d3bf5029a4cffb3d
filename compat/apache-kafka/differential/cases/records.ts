/** Records: produced well and badly, fetched, found by time and epoch, deleted; producer ids. */
import type { Case } from '../case.ts';
import { DELETED } from './records/deleted.ts';
import { FETCHED } from './records/fetched.ts';
import { OFFSETS } from './records/offsets.ts';
import { PRODUCED } from './records/produced.ts';
import { IDS } from './records/producers.ts';

export const RECORD_CASES: readonly Case[] = [...PRODUCED, ...FETCHED, ...OFFSETS, ...DELETED, ...IDS];
