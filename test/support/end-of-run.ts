/**
 * A run of the suites ends, whatever a test has left behind. Mocha waits for the event loop to run empty, which is how a broker that does not stop is found out;
 * but one that a failed test did not come to stop would keep the run alive for ever. What still holds it some time after the last test is named, and is a failure.
 *
 * A promise that is rejected and that nobody looks at ends a broker's process, and fails the test that is under way: Mocha alone would say nothing of it.
 */
import type { RootHookObject } from 'mocha';

const PATIENCE_MS = 30_000;

process.on('unhandledRejection', (reason) => {
  throw reason;
});

/** Ends this process with 1 where it has not ended of itself by then. */
export function endWithin(patienceMs: number): void {
  setTimeout(() => {
    const left = process.getActiveResourcesInfo().join(', ');
    console.error(`Still there ${patienceMs} ms after the last test: ${left}. Stop it in the test, also where the test fails.`);
    process.exit(1);
  }, patienceMs).unref();
}

export const mochaHooks: RootHookObject = { afterAll: () => endWithin(PATIENCE_MS) };
