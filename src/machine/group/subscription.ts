/**
 * Which topics the members of a group of protocol type "consumer" have subscribed to, as far as their metadata tells. The coordinator reads no
 * more of it than the part that all versions begin with.
 */
import { DecodeError } from '../../wire/decode-error.ts';
import { readConsumerProtocolSubscription } from '../../wire/generated/records/consumer-protocol-subscription.ts';
import { Reader } from '../../wire/reader.ts';

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** Null: not known, because the group is of another type, has chosen no protocol, or its members' metadata cannot be read. */
export function subscribedTopicsOf(
  protocolType: string | null,
  protocol: string | null,
  memberMetadata: readonly Buffer[],
): ReadonlySet<string> | null {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return null;
  const topics = new Set<string>();
  if (memberMetadata.length === 0) return topics;
  if (protocol === null) return null;
  for (const metadata of memberMetadata) {
    const own = topicsOf(metadata);
    if (own === null) return null;
    for (const topic of own) topics.add(topic);
  }
  return topics;
}

function topicsOf(metadata: Buffer): readonly string[] | null {
  try {
    const reader = new Reader(metadata);
    if (reader.int16() < 0) return null;
    return readConsumerProtocolSubscription(reader, 0).topics;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
