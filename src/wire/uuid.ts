/** Kafka's uuids: sixteen bytes on the wire, 22 characters of unpadded base64url as text (the form used everywhere inside the broker). */

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

export function stringOfUuid(buffer: Buffer, position = 0): string {
  return buffer.toString('base64url', position, position + 16);
}

/** As Kafka draws them: version 4, never reserved (the first hundred), and never with a leading hyphen, which command lines take for an option. */
export function randomUuid(random: Bytes): string {
  for (;;) {
    const uuid = stringOfUuid(version4(random));
    if (!uuid.startsWith('-')) return uuid;
  }
}

/** In the canonical form: 36 characters, hexadecimal and hyphens. */
export function randomUuidText(random: Bytes): string {
  const hex = version4(random).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

interface Bytes {
  bytes(count: number): Buffer;
}

function version4(random: Bytes): Buffer {
  const bytes = random.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes;
}

/** Writes sixteen bytes at `position`. Raises TypeError when `uuid` is not 22 characters of base64url. */
export function putUuid(buffer: Buffer, uuid: string, position: number): void {
  if (uuid.length !== 22 || buffer.write(uuid, position, 16, 'base64url') !== 16) {
    throw new TypeError(`uuid '${uuid}' is not 22 characters of base64url`);
  }
}
