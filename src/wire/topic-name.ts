/** What a topic may be called. */

/** Of the group coordinators. */
export const OFFSETS_TOPIC = '__consumer_offsets';
/** Of the transaction coordinators. */
export const TRANSACTION_TOPIC = '__transaction_state';
/** Of the share coordinators (KIP-932). */
export const SHARE_STATE_TOPIC = '__share_group_state';

/** Topics that the broker itself writes to; Metadata marks them as internal. */
export const INTERNAL_TOPICS: ReadonlySet<string> = new Set([OFFSETS_TOPIC, TRANSACTION_TOPIC, SHARE_STATE_TOPIC]);

/** The log of the cluster's metadata: not a topic that clients see. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

const MAX_NAME_LENGTH = 249;

/** The text of what is wrong with a topic's name; null when nothing is. */
export function topicNameError(name: string): string | null {
  const reason = invalidReason(name);
  return reason === null ? null : `Topic name is invalid: ${reason}`;
}

function invalidReason(name: string): string | null {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > MAX_NAME_LENGTH) return `the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`;
  if (/[^a-zA-Z0-9._-]/.test(name))
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  return null;
}
