/**
 * AlterUserScramCredentials as the controller decides it (Kafka's ScramControlManager, KIP-554): what users prove their passwords with. Passwords never come here,
 * and what is kept of them lets a broker check one, not know it (RFC 5802).
 *
 * Nobody authenticates by them here: they are kept for a broker with SASL that opens the directory.
 */
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponseAlterUserScramCredentialsResultDraft,
} from '../../wire/generated/alter-user-scram-credentials.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import { scramKeys } from '../../wire/scram-keys.ts';
import type { ApiError, Decision, Surroundings } from './decision.ts';
import { hasScram } from './record-versions.ts';

type Upsertion = AlterUserScramCredentialsRequest['upsertions'][number];
type Result = AlterUserScramCredentialsResponseAlterUserScramCredentialsResultDraft;

/** Hashes by Kafka's numbers of mechanisms. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
]);

const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 16384;

const TWICE: ApiError = {
  error: ErrorCode.DUPLICATE_RESOURCE,
  message: 'A user credential cannot be altered twice in the same request',
};
const TOO_OLD: ApiError = {
  error: ErrorCode.UNSUPPORTED_VERSION,
  message: 'The current metadata.version does not support SCRAM',
};
const NOT_THERE: ApiError = {
  error: ErrorCode.RESOURCE_NOT_FOUND,
  message: 'Attempt to delete a user credential that does not exist',
};

/** Each user once, whatever becomes of it: a user that is named twice is not changed at all. */
export function alterUserScramCredentials(
  request: AlterUserScramCredentialsRequest,
  around: Surroundings,
): Decision<readonly Result[]> {
  const errors = new Map<string, ApiError>();
  const records = new Map<string, MetadataRecordDraft>();
  const decide = (name: string, mechanism: number, problem: ApiError | undefined, record: () => MetadataRecordDraft): void => {
    if (errors.has(name)) return;
    const error = records.delete(name) ? TWICE : (generalProblem(name, mechanism, around) ?? problem);
    if (error === undefined) records.set(name, record());
    else errors.set(name, error);
  };
  for (const { name, mechanism } of request.deletions) {
    const problem = around.image.scramCredential(name, mechanism) === undefined ? NOT_THERE : undefined;
    const value = { name, mechanism };
    decide(name, mechanism, problem, () => ({ kind: 'RemoveUserScramCredentialRecord', value, version: 0 }));
  }
  for (const upsertion of request.upsertions) {
    const { name, mechanism } = upsertion;
    decide(name, mechanism, upsertionProblem(upsertion), () => credential(upsertion));
  }
  const done = [...records.keys()].map((user): Result => ({ user, errorCode: ErrorCode.NONE, errorMessage: null }));
  const refused = [...errors].map(([user, one]): Result => ({ user, errorCode: one.error, errorMessage: one.message }));
  return { records: [...records.values()], reply: [...done, ...refused] };
}

function generalProblem(name: string, mechanism: number, around: Surroundings): ApiError | undefined {
  if (!hasScram(around.image)) return TOO_OLD;
  if (name === '') return { error: ErrorCode.UNACCEPTABLE_CREDENTIAL, message: 'Username must not be empty' };
  if (HASHES.has(mechanism)) return undefined;
  return { error: ErrorCode.UNSUPPORTED_SASL_MECHANISM, message: 'Unknown SCRAM mechanism' };
}

function upsertionProblem({ iterations, saltedPassword }: Upsertion): ApiError | undefined {
  const unacceptable = (message: string): ApiError => ({ error: ErrorCode.UNACCEPTABLE_CREDENTIAL, message });
  if (iterations < MIN_ITERATIONS) return unacceptable('Too few iterations');
  if (iterations > MAX_ITERATIONS) return unacceptable('Too many iterations');
  // An empty key is none to Java's authentication codes: nobody has thought of it.
  return saltedPassword.length === 0 ? { error: ErrorCode.UNKNOWN_SERVER_ERROR, message: null } : undefined;
}

function credential({ name, mechanism, iterations, salt, saltedPassword }: Upsertion): MetadataRecordDraft {
  const keys = scramKeys(HASHES.get(mechanism) ?? '', saltedPassword);
  const value = { name, mechanism, salt: Buffer.from(salt), ...keys, iterations };
  return { kind: 'UserScramCredentialRecord', value, version: 0 };
}
