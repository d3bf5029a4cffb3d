/**
 * Threads that are none: what they run takes turns with everything else on the event loop. For a world that lives in this process alone, whose disk no
 * other thread could see, and whose order of events has to be the same every time.
 */
import type { Clock } from './clock.ts';
import type { Port, Thread, Threads } from './threads.ts';

type Listener = (message: unknown) => void;

export class InlineThreads implements Threads {
  private readonly clock: Clock;
  private readonly run: (parent: Port) => void;

  /** `run` is what each thread does. */
  constructor(clock: Clock, run: (parent: Port) => void) {
    this.clock = clock;
    this.run = run;
  }

  start(): Thread {
    let ended = false;
    const toChild: Listener[] = [];
    const toParent: Listener[] = [];
    const deliver = (listeners: readonly Listener[], message: object): void =>
      this.clock.endOfTurn(() => {
        if (!ended) for (const listener of listeners) listener(message);
      });
    this.run({ post: (message) => deliver(toParent, message), onMessage: (listener) => void toChild.push(listener) });
    return {
      post: (message) => deliver(toChild, message),
      onMessage: (listener) => void toParent.push(listener),
      onEnd: () => undefined,
      end: () => {
        ended = true;
        return Promise.resolve();
      },
    };
  }
}
