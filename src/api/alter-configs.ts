/**
 * AlterConfigs, versions 0 to 2: replaces all configs of a resource; what the request does not name goes back to its default. IncrementalAlterConfigs is the
 * better one (KIP-339); rules and errors are the same.
 */
import type { Handler } from './context.ts';

export const alterConfigs: Handler<'alterConfigs'> = async (request, context) => ({
  throttleTimeMs: 0,
  responses: await context.controller.submit('alterConfigs', request),
});
