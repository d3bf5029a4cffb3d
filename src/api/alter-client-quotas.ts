/**
 * AlterClientQuotas, versions 0 and 1 (KIP-546): decided by the controller, answered when it is recorded.
 *
 * Quotas are kept in the directory and told; nobody is throttled by them.
 */
import type { Handler } from './context.ts';

export const alterClientQuotas: Handler<'alterClientQuotas'> = async (request, context) => ({
  throttleTimeMs: 0,
  entries: await context.controller.submit('alterClientQuotas', request),
});
