/**
 * AlterUserScramCredentials, version 0 (KIP-554): decided by the controller, answered when it is recorded.
 *
 * Nobody authenticates by these credentials: listeners are plain text. They are told, and kept in the directory.
 */
import type { Handler } from './context.ts';

export const alterUserScramCredentials: Handler<'alterUserScramCredentials'> = async (request, context) => ({
  throttleTimeMs: 0,
  results: await context.controller.submit('alterUserScramCredentials', request),
});
