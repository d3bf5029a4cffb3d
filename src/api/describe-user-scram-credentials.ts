/**
 * DescribeUserScramCredentials, version 0 (KIP-554): by which mechanisms users may authenticate, and nothing of their passwords.
 *
 * - Null or no users means all that have a credential. RESOURCE_NOT_FOUND for one that has none, DUPLICATE_RESOURCE for one that is named twice.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Handler } from './context.ts';

export const describeUserScramCredentials: Handler<'describeUserScramCredentials'> = ({ users }, { image }) => {
  const credentials = [...image.scramCredentials.values()];
  const isAll = users === null || users.length === 0;
  const names = isAll ? credentials.map(({ name }) => name) : users.map(({ name }) => name);
  const results = [...new Set(names)].map((user) => {
    const isTwice = !isAll && names.indexOf(user) !== names.lastIndexOf(user);
    if (isTwice) {
      const message = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
      return { user, errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage: message, credentialInfos: [] };
    }
    const infos = credentials.filter(({ name }) => name === user);
    if (infos.length === 0) {
      const message = `Attempt to describe a user credential that does not exist: ${user}`;
      return { user, errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage: message, credentialInfos: [] };
    }
    const credentialInfos = infos.map(({ mechanism, iterations }) => ({ mechanism, iterations }));
    return { user, errorCode: ErrorCode.NONE, errorMessage: '', credentialInfos };
  });
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: '', results };
};
