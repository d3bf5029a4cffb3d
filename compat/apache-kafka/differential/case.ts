/** What a line of the tables is. */
import type { ApiName, ApiTypes } from '../../../src/wire/generated/apis.ts';
import type { Conversation } from './conversation.ts';
import { servedVersions } from './versions.ts';

export interface Case {
  readonly api: ApiName;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly run: (x: Conversation) => Promise<unknown>;
  /** One at a time, after all others. */
  readonly alone?: boolean;
}

interface Versions {
  readonly from?: number;
  readonly to?: number;
}

/** One request, in every version of its API. */
export function one<N extends ApiName>(
  api: N,
  name: string,
  draft: (x: Conversation) => ApiTypes[N]['requestDraft'] | Promise<ApiTypes[N]['requestDraft']>,
  versions: Versions = {},
): Case {
  return many(api, name, async (x) => x.call(api, await draft(x)), versions);
}

/** A conversation, in every version of the API it is about. */
export function many(api: ApiName, name: string, run: (x: Conversation) => Promise<unknown>, versions: Versions = {}): Case {
  const served = servedVersions(api);
  return { api, name, run, from: Math.max(versions.from ?? 0, served.min), to: Math.min(versions.to ?? 99, served.max) };
}

export const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
/** An id that no topic has. */
export const NO_SUCH_ID = 'bm8tc3VjaC10b3BpYy0xMg';
