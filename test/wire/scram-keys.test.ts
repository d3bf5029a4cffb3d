/** The keys of a SCRAM password are those of the example in RFC 7677: they check its proof, and its signature is theirs. */
import { expect } from 'chai';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { scramKeys } from '../../src/wire/scram-keys.ts';

const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const AUTH_MESSAGE =
  'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
  's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const PROOF = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
const SIGNATURE = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

describe('SCRAM keys', () => {
  const { storedKey, serverKey } = scramKeys('sha256', pbkdf2Sync('pencil', SALT, 4096, 32, 'sha256'));

  it('check the proof of a client', () => {
    const signature = createHmac('sha256', storedKey).update(AUTH_MESSAGE).digest();
    const clientKey = Buffer.from(PROOF.map((byte, i) => byte ^ (signature[i] ?? 0)));
    expect(createHash('sha256').update(clientKey).digest()).to.deep.equal(storedKey);
  });

  it('give the signature of the server', () => {
    expect(createHmac('sha256', serverKey).update(AUTH_MESSAGE).digest('base64')).to.equal(SIGNATURE);
  });
});
