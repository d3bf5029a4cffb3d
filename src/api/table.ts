/** Which handler answers which API: total over all API names, null where there is none. ApiVersions and the dispatch follow from it. */
import { APIS, type ApiName } from '../wire/generated/apis.ts';
import { servedApi } from '../wire/header.ts';
import { apiVersions } from './api-versions.ts';
import type { Handler } from './context.ts';

export type HandlerTable = { readonly [N in ApiName]: Handler<N> | null };

const NONE = Object.fromEntries(Object.keys(APIS).map((name) => [name, null])) as { readonly [N in ApiName]: null };

export const HANDLERS: HandlerTable = {
  ...NONE,
  apiVersions,
};

/** What ApiVersions shows: this release's ranges of the APIs that have a handler, in the order of their keys. */
export function advertisedApis(
  handlers: HandlerTable,
): readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[] {
  return (Object.keys(handlers) as ApiName[])
    .filter((name) => handlers[name] !== null)
    .map((name) => servedApi(APIS[name].key)?.advertised)
    .filter((range) => range !== undefined)
    .map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }))
    .sort((a, b) => a.apiKey - b.apiKey);
}
