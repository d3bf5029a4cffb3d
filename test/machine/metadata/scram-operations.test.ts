/** Credentials of users as the controller decides them: what is kept of a password, and what is refused in which words. */
import { expect } from 'chai';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const [SHA_256, SHA_512] = [1, 2];
const HASHES = new Map([
  [SHA_256, 'sha256'],
  [SHA_512, 'sha512'],
]);
const SALT = Buffer.from('salt of the earth');

interface Wanted {
  readonly name: string;
  readonly mechanism?: number;
  readonly iterations?: number;
  readonly saltedPassword?: Buffer;
}

function alter(cluster: Cluster, upsertions: readonly Wanted[], deletions: readonly { name: string; mechanism: number }[] = []) {
  const results = cluster.perform('alterUserScramCredentials', {
    deletions: [...deletions],
    upsertions: upsertions.map((one) => ({
      mechanism: SHA_256,
      iterations: 4096,
      salt: SALT,
      saltedPassword: Buffer.from('salted'),
      ...one,
    })),
  });
  return results.map(({ user, errorCode, errorMessage }) => [user, errorCode, errorMessage]);
}

describe('credentials of users', () => {
  for (const [mechanism, hash] of HASHES) {
    it(`are kept so that ${hash} can check a password and not tell it`, () => {
      const cluster = new Cluster();
      const saltedPassword = pbkdf2Sync('open sesame', SALT, 5000, hash === 'sha256' ? 32 : 64, hash);
      expect(alter(cluster, [{ name: 'ali', mechanism, iterations: 5000, saltedPassword }])).to.deep.equal([['ali', 0, null]]);
      const kept = cluster.image.scramCredential('ali', mechanism);
      // As RFC 5802 has a server check a proof.
      const clientKey = createHmac(hash, saltedPassword).update('Client Key').digest();
      expect(kept?.storedKey).to.deep.equal(createHash(hash).update(clientKey).digest());
      expect(kept?.serverKey).to.deep.equal(createHmac(hash, saltedPassword).update('Server Key').digest());
      expect(kept).to.deep.include({ salt: SALT, iterations: 5000 });
    });
  }

  const REFUSALS: readonly (readonly [string, Wanted, number, string | null])[] = [
    ['without a name', { name: '' }, ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty'],
    ['of no mechanism', { name: 'a', mechanism: 3 }, ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism'],
    ['of too few iterations', { name: 'a', iterations: 4095 }, ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations'],
    ['of too many iterations', { name: 'a', iterations: 16385 }, ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations'],
    ['of no password', { name: 'a', saltedPassword: Buffer.alloc(0) }, ErrorCode.UNKNOWN_SERVER_ERROR, null],
  ];
  for (const [what, wanted, error, message] of REFUSALS) {
    it(`${what} are refused, and others in the same request are not`, () => {
      const cluster = new Cluster();
      expect(alter(cluster, [{ name: 'b' }, wanted])).to.deep.equal([
        ['b', 0, null],
        [wanted.name, error, message],
      ]);
      expect(cluster.records.length).to.equal(1);
    });
  }

  it('are gone once deleted, one mechanism at a time', () => {
    const cluster = new Cluster();
    alter(cluster, [{ name: 'a' }]);
    alter(cluster, [{ name: 'a', mechanism: SHA_512 }]);
    const gone = { name: 'a', mechanism: SHA_256 };
    expect(alter(cluster, [], [gone])).to.deep.equal([['a', 0, null]]);
    expect([SHA_256, SHA_512].map((mechanism) => cluster.image.scramCredential('a', mechanism)?.iterations)).to.deep.equal([
      undefined,
      4096,
    ]);
    const missing = 'Attempt to delete a user credential that does not exist';
    expect(alter(cluster, [], [gone])).to.deep.equal([['a', ErrorCode.RESOURCE_NOT_FOUND, missing]]);
  });

  it('of one user may not change twice in a request', () => {
    const cluster = new Cluster();
    alter(cluster, [{ name: 'a' }]);
    const twice = [['a', ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request']];
    expect(alter(cluster, [{ name: 'a' }, { name: 'a', mechanism: SHA_512 }])).to.deep.equal(twice);
    expect(alter(cluster, [{ name: 'a', mechanism: SHA_512 }], [{ name: 'a', mechanism: SHA_256 }])).to.deep.equal(twice);
    expect(cluster.records).to.deep.equal([]);
  });

  it('need a metadata.version that has them', () => {
    const cluster = new Cluster({ elr: false });
    cluster.apply([{ kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 10 } }]);
    const message = 'The current metadata.version does not support SCRAM';
    expect(alter(cluster, [{ name: 'a' }])).to.deep.equal([['a', ErrorCode.UNSUPPORTED_VERSION, message]]);
  });
});
