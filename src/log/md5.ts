/**
 * MD5 of keys, millions of them in a row: for the short texts that keys are, several times cheaper than a call of OpenSSL, and nothing is allocated.
 *
 * Source: RFC 1321. Nothing here is about secrets; Apache Kafka's cleaner takes the same function.
 */
const ROUNDS = 64;
const CONSTANTS = Int32Array.from({ length: ROUNDS }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000) | 0);
const SHIFTS = Int32Array.from([7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]);
const BLOCK_BYTES = 64;
/** From here on the length does not fit behind the text any more. */
const LENGTH_AT = 56;

const words = new Int32Array(16);
/** The digest of the last call, as four words. */
const state = new Int32Array(4);

function round(): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let i = 0; i < ROUNDS; i++) {
    const quarter = i >>> 4;
    let mixed: number;
    let word: number;
    if (quarter === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (quarter === 1) {
      mixed = (d & b) | (~d & c);
      word = 5 * i + 1;
    } else if (quarter === 2) {
      mixed = b ^ c ^ d;
      word = 3 * i + 5;
    } else {
      mixed = c ^ (b | ~d);
      word = 7 * i;
    }
    const sum = (a + mixed + (CONSTANTS[i] as number) + (words[word & 15] as number)) | 0;
    const shift = SHIFTS[(quarter << 2) | (i & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
}

/** Digest of `bytes[from, to)` as four little-endian words, which the next call overwrites. */
export function md5(bytes: Buffer, from = 0, to = bytes.length): Int32Array {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  let at = from;
  for (; to - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) words[i] = bytes.readInt32LE(at + 4 * i);
    round();
  }
  words.fill(0);
  const rest = to - at;
  for (let i = 0; i < rest; i++) words[i >>> 2] = (words[i >>> 2] as number) | ((bytes[at + i] as number) << ((i & 3) << 3));
  words[rest >>> 2] = (words[rest >>> 2] as number) | (0x80 << ((rest & 3) << 3));
  if (rest >= LENGTH_AT) {
    round();
    words.fill(0);
  }
  words[14] = (to - from) << 3;
  words[15] = (to - from) >>> 29;
  round();
  return state;
}
