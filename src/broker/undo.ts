/** What was begun and has to be taken back, at a stop or when the start fails on the way. */
export type Undo = () => Promise<void> | void;

/** Listeners, which were opened first, go first, then what was opened last: nobody is served by half a broker. A step that fails keeps no other from being done. */
export async function takeBack(done: readonly Undo[]): Promise<void> {
  const [listeners, ...others] = done;
  const failures: unknown[] = [];
  for (const step of [listeners, ...others.reverse()]) {
    try {
      await step?.();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
