/** Requests and responses, a file for each API, and the tables of all of them; headers. */
import { file, load } from './files.ts';
import { linesOf } from './message.ts';
import { kebab, lower, upper } from './names.ts';
import type { Api, Side } from './schema.ts';
import { empty, range } from './versions.ts';

export function generateApis(apis: Api[]): void {
  const alive = apis.filter((a) => a.versions !== 'none').sort((a, b) => a.key - b.key);
  const [clientImports, serverImports]: [string[], string[]] = [[], []];
  const [table, serverTable, apiTypes]: [string[], string[], string[]] = [[], [], []];
  for (const api of alive) {
    const lines: string[] = [];
    for (const side of ['request', 'response'] as const) {
      const schema = api[side];
      if (schema) lines.push(...linesOf(api.name + upper(side), schema, api.versions, api.flexible));
    }
    file(`${kebab(api.name)}.ts`, lines);
    const { name } = api;
    const types = ['Request', 'RequestDraft', 'Response', 'ResponseDraft'].map((s) => `type ${name}${s}`);
    clientImports.push(
      `import { ${[...types, `write${name}Request`, `read${name}Response`].join(', ')} } from './${kebab(name)}.ts';`,
    );
    serverImports.push(`import { read${name}Request, write${name}Response } from './${kebab(name)}.ts';`);
    const v = range(api.versions);
    const flexible = range(api.flexible);
    serverTable.push(
      `  ${lower(name)}: { key: ${api.key}, name: '${name}', minVersion: ${v.first}, maxVersion: ${v.last}, flexibleFrom: ${empty(flexible) ? 'Number.POSITIVE_INFINITY' : flexible.first}, latestVersionUnstable: ${api.latestVersionUnstable ?? false}, listeners: ${JSON.stringify(api.listeners).replaceAll('"', "'")}, readRequest: read${name}Request, writeResponse: write${name}Response },`,
    );
    table.push(
      `  ${lower(name)}: { ...SERVER_APIS.${lower(name)}, writeRequest: write${name}Request, readResponse: read${name}Response },`,
    );
    apiTypes.push(
      `  ${lower(name)}: { request: ${name}Request; requestDraft: ${name}RequestDraft; response: ${name}Response; responseDraft: ${name}ResponseDraft };`,
    );
  }
  file('server-apis.ts', [
    "import type { ApiName, ApiTypes } from './apis.ts';",
    ...serverImports,
    '',
    '/** One API as a broker needs it: its numbers, and the half of its codecs. `minVersion` to `maxVersion` are the versions that have a schema. */',
    'export interface ServerApi<N extends ApiName = ApiName> {',
    '  readonly key: number;',
    '  readonly name: string;',
    '  readonly minVersion: number;',
    '  readonly maxVersion: number;',
    '  readonly flexibleFrom: number;',
    '  readonly latestVersionUnstable: boolean;',
    "  readonly listeners: readonly ('broker' | 'controller' | 'zkBroker')[];",
    "  readRequest(r: Reader, v: number): ApiTypes[N]['request'];",
    "  writeResponse(w: Writer, m: ApiTypes[N]['responseDraft'], v: number): void;",
    '}',
    '',
    '/** Every API that has a schema, by its name in lower camel case. Apart from the half of clients, so that a bundle can do without that. */',
    'export const SERVER_APIS: { readonly [N in ApiName]: ServerApi<N> } = {',
    ...serverTable,
    '};',
    '',
  ]);
  file('apis.ts', [
    ...clientImports,
    "import { SERVER_APIS, type ServerApi } from './server-apis.ts';",
    '',
    'export interface ApiTypes {',
    ...apiTypes,
    '}',
    '',
    'export type ApiName = keyof ApiTypes;',
    '',
    '/** One API with all its codecs. */',
    'export interface Api<N extends ApiName = ApiName> extends ServerApi<N> {',
    "  writeRequest(w: Writer, m: ApiTypes[N]['requestDraft'], v: number): void;",
    "  readResponse(r: Reader, v: number): ApiTypes[N]['response'];",
    '}',
    '',
    '/** Every API that has a schema, by its name in lower camel case. */',
    'export const APIS: { readonly [N in ApiName]: Api<N> } = {',
    ...table,
    '};',
    '',
  ]);
}

export function generateHeaders(): void {
  for (const name of ['RequestHeader', 'ResponseHeader']) {
    const header = load<Side & { versions: string; flexible: string }>(`${kebab(name)}.json`);
    file(`${kebab(name)}.ts`, linesOf(name, header, header.versions, header.flexible));
  }
}
