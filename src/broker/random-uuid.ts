/** Kafka's random uuids: version 4, never reserved (the first hundred), and never with a leading hyphen, which command lines take for an option. */
import { stringOfUuid } from '../wire/uuid.ts';
import type { Random } from '../world/random.ts';

export function randomUuid(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const uuid = stringOfUuid(bytes);
    if (!uuid.startsWith('-')) return uuid;
  }
}
