/**
 * Many random streams, a few at a time, until enough requests have been compared. A difference is played again: one that comes back is shrunk to the fewest
 * requests that show it, told with its seed, and fails; one that does not come back is told as passing.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate, generateTransactions, STREAM_APIS } from './generate.ts';
import { type Brokers, type Difference, Play } from './play.ts';
import type { StreamRequest } from './request.ts';
import { shrink } from './shrink.ts';

const LENGTH = 120;
const ABREAST = 4;
const SHRUNK = 8;

export interface StreamOptions {
  readonly requests: number;
  readonly seed?: number;
  /** A folder where shrunk streams are kept. */
  readonly keep?: string;
  /** Streams of transactions. */
  readonly transactions?: boolean;
  /** How many different mistakes are shrunk and shown in full. */
  readonly shrunk?: number;
}

let plays = 0;
const replay = async (
  brokers: Brokers,
  requests: readonly StreamRequest[],
  timestamp: number,
): Promise<readonly Difference[]> => {
  const play = new Play(brokers, `s${process.pid}-${plays++}-`, timestamp);
  await play.run(requests);
  return play.differences;
};

/** Where streams that once failed are kept, shrunk. */
const KEPT = 'compat/apache-kafka/differential/regressions';

/** Plays every kept stream. */
export async function playKept(brokers: Brokers): Promise<{ readonly passed: number; readonly failed: number }> {
  let [passed, failed] = [0, 0];
  for (const file of readdirSync(KEPT).filter((name) => name.endsWith('.json'))) {
    const requests = JSON.parse(readFileSync(join(KEPT, file), 'utf8')) as readonly StreamRequest[];
    const differences = await replay(brokers, requests, Date.now() - 60_000);
    if (differences.length === 0) passed++;
    else failed++;
    for (const { index, lines } of differences)
      console.log(`not ok ${file}, request ${index}\n    ${lines.slice(0, 6).join('\n    ')}`);
  }
  return { passed, failed };
}

export async function playStreams(
  brokers: Brokers,
  o: StreamOptions,
): Promise<{ readonly compared: number; readonly failed: number }> {
  const seed = o.seed ?? (process.env.SEED === undefined ? randomInt(1, 2 ** 31) : Number(process.env.SEED));
  const make = o.transactions === true ? generateTransactions : generate;
  const timestamp = Date.now() - 60_000;
  const began = Date.now();
  console.log(`random streams of requests to ${STREAM_APIS.length} APIs from seed ${seed}`);
  const found = new Map<string, { readonly difference: Difference; readonly stream: number; times: number }>();
  const asked = new Map<string, number>();
  const streams = Math.ceil(o.requests / LENGTH);
  let compared = 0;
  let next = 0;
  await Promise.all(
    Array.from({ length: ABREAST }, async () => {
      while (next < streams) {
        const stream = next++;
        const requests = make(seed + stream, LENGTH);
        for (const difference of await replay(brokers, requests, timestamp)) {
          const known = found.get(difference.signature);
          if (known === undefined) found.set(difference.signature, { difference, stream, times: 1 });
          else known.times++;
        }
        compared += requests.length;
        for (const { api, version } of requests) asked.set(`${api} ${version}`, (asked.get(`${api} ${version}`) ?? 0) + 1);
      }
    }),
  );
  console.log(
    `${compared} requests compared, ${asked.size} versions of APIs, ${found.size} kinds of difference, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  const shrunk = o.shrunk ?? SHRUNK;
  let failed = 0;
  for (const [signature, { difference, stream, times }] of found) {
    const requests = make(seed + stream, LENGTH);
    const shows = async (some: readonly StreamRequest[]): Promise<Difference | undefined> =>
      (await replay(brokers, some, timestamp)).find((one) => one.signature === signature);
    const upTo = requests.slice(0, difference.index + 2);
    const again = failed < shrunk ? await shows(upTo) : difference;
    if (again === undefined) {
      console.log(`passing: seen once and not again, seed ${seed + stream}, request ${difference.index}: ${signature}`);
      continue;
    }
    failed++;
    console.log(
      `not ok stream of seed ${seed + stream}, request ${difference.index}, ${times} times: ${difference.request.api} v${difference.request.version}`,
    );
    for (const line of again.lines.slice(0, 6)) console.log(`    ${line}`);
    if (failed > shrunk) {
      console.log(`    ${JSON.stringify(difference.request)}`);
      continue;
    }
    const least = await shrink(upTo, async (some) => (await shows(some)) !== undefined);
    for (const request of least) console.log(`    ${JSON.stringify(request)}`);
    if (o.keep !== undefined) {
      mkdirSync(o.keep, { recursive: true });
      writeFileSync(
        join(o.keep, `${difference.request.api}-${seed + stream}-${difference.index}.json`),
        `${JSON.stringify(least, null, 1)}\n`,
      );
    }
  }
  return { compared, failed };
}
