/** Leaves requests out of a stream, many at once, then fewer, as long as it still fails. */
import type { StreamRequest } from './request.ts';

const BUDGET_MS = 25_000;

export async function shrink(
  stream: readonly StreamRequest[],
  fails: (some: readonly StreamRequest[]) => Promise<boolean>,
): Promise<readonly StreamRequest[]> {
  const deadline = Date.now() + BUDGET_MS;
  let least = stream;
  for (let size = Math.ceil(stream.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.length && Date.now() < deadline; ) {
      const fewer = [...least.slice(0, at), ...least.slice(at + size)];
      if (fewer.length > 0 && (await fails(fewer))) least = fewer;
      else at += size;
    }
  }
  return least;
}
