/** The records of `__consumer_offsets` between bytes and the group machine. */
import type { GroupRecord } from '../wire/coordinator-record.ts';
import { readGroupRecord, writeGroupRecordKey, writeGroupRecordValue } from '../wire/coordinator-record.ts';
import { valueVersion } from '../machine/group/record.ts';

/** Kinds 0 and 1, whose fields are all numbers and strings. */
const LAST_OFFSET_COMMIT_KIND = 1;

/** Undefined for a kind that is not known. What is kept of a value does not pin the batch it was read from. */
export function readRecord(key: Buffer, value: Buffer | null): GroupRecord | undefined {
  const isOffset = key.length >= 2 && key.readInt16BE(0) <= LAST_OFFSET_COMMIT_KIND;
  return readGroupRecord(key, value === null || isOffset ? value : Buffer.from(value));
}

export function writeRecord(record: GroupRecord): { readonly key: Buffer; readonly value: Buffer | null } {
  const version = valueVersion(record);
  return { key: writeGroupRecordKey(record), value: writeGroupRecordValue({ ...record, version }) };
}
