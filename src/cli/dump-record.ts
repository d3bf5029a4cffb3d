/** What one record says: control records and those of internal topics decoded, all others as text where they are text. */
import { readControlRecord } from '../wire/control-record.ts';
import { readGroupRecord, readShareRecord, readTransactionRecord } from '../wire/coordinator-record.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { readMetadataRecord } from '../wire/metadata-record.ts';
import type { KafkaRecord } from '../wire/record.ts';
import { plainJson } from './dump-item.ts';
import { CLUSTER_METADATA_TOPIC, OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_TOPIC } from '../wire/topic-name.ts';

export interface DecodedRecord {
  readonly kind: string;
  /** Missing: a tombstone. */
  readonly value?: unknown;
  readonly key?: unknown;
}

function ofTopic(topic: string, key: Buffer | null, value: Buffer | null): DecodedRecord | undefined {
  if (topic === CLUSTER_METADATA_TOPIC) return value === null ? undefined : readMetadataRecord(value);
  if (key === null) return undefined;
  if (topic === OFFSETS_TOPIC) return readGroupRecord(key, value);
  if (topic === TRANSACTION_TOPIC) return readTransactionRecord(key, value);
  if (topic === SHARE_STATE_TOPIC) return readShareRecord(key, value);
  return undefined;
}

/** Undefined when the record is a user's, or is of a kind or shape not known. */
export function decodeRecord(topic: string | undefined, isControl: boolean, record: KafkaRecord): DecodedRecord | undefined {
  const { key, value } = record;
  try {
    if (isControl) return key === null || value === null ? undefined : readControlRecord(key, value);
    return topic === undefined ? undefined : ofTopic(topic, key, value);
  } catch (error) {
    if (error instanceof DecodeError) return { kind: `undecodable (${error.message})` };
    throw error;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Bytes as text, or as `0x` and hexadecimal where they are none. */
function shownBytes(bytes: Buffer | null): string {
  if (bytes === null) return 'null';
  try {
    const text = decoder.decode(bytes);
    // Control characters would garble the terminal.
    if (/^[^\p{Cc}]*$/u.test(text)) return text;
  } catch {
    // Not UTF-8: shown as bytes.
  }
  return `0x${bytes.toString('hex')}`;
}

const headersOf = (record: KafkaRecord): { key: string; value: unknown }[] =>
  record.headers.map((header) => ({ key: header.key, value: plainJson(header.value) }));

export function recordJson(record: KafkaRecord, decoded: DecodedRecord | undefined): { readonly [name: string]: unknown } {
  const { offset, timestamp, key, value } = record;
  const headers = record.headers.length > 0 ? { headers: headersOf(record) } : {};
  return decoded === undefined
    ? { offset, timestamp, key: plainJson(key), value: plainJson(value), ...headers }
    : { offset, timestamp, decoded: plainJson(decoded), ...headers };
}

export function recordText(record: KafkaRecord, decoded: DecodedRecord | undefined): string {
  const start = `| offset: ${record.offset} timestamp: ${record.timestamp}`;
  const headers = record.headers.map((header) => ` ${header.key}=${shownBytes(header.value)}`).join('');
  const tail = headers === '' ? '' : ` headers:${headers}`;
  if (decoded === undefined) return `${start} key: ${shownBytes(record.key)} value: ${shownBytes(record.value)}${tail}`;
  const { kind, key, value } = decoded;
  const parts = [kind, ...(key === undefined ? [] : [JSON.stringify(plainJson(key))])];
  return `${start} ${parts.join(' ')} ${value === undefined || value === null ? 'tombstone' : JSON.stringify(plainJson(value))}${tail}`;
}
