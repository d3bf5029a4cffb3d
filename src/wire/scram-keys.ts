/** What a server keeps to check a SCRAM password, derived of the salted password (RFC 5802, section 3). */
import { createRequire } from 'node:module';
import type * as Crypto from 'node:crypto';

export interface ScramKeys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** `hash` is OpenSSL's name of one, such as sha256. The module is loaded when it is first needed: no start is to wait for it. */
export function scramKeys(hash: string, saltedPassword: Buffer): ScramKeys {
  const { createHash, createHmac } = createRequire(import.meta.url)('node:crypto') as typeof Crypto;
  const keyed = (text: string): Buffer => createHmac(hash, saltedPassword).update(text).digest();
  return { storedKey: createHash(hash).update(keyed('Client Key')).digest(), serverKey: keyed('Server Key') };
}
