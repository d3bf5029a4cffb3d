/** The machine's threads through node:worker_threads: each runs one file of this program. */
import type { Worker } from 'node:worker_threads';
import type { Port, Thread, Threads } from './threads.ts';

/** Loaded when the first thread is started. */
const workerThreads = () => process.getBuiltinModule('node:worker_threads');

class NodeThread implements Thread {
  private readonly worker: Worker;
  private ending = false;

  constructor(file: URL) {
    const threads = workerThreads();
    this.worker = new threads.Worker(file);
  }

  post(message: object): void {
    this.worker.postMessage(message, []);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.worker.on('message', listener);
  }

  onEnd(listener: (reason: Error) => void): void {
    const tell = (reason: Error): void => {
      if (!this.ending) listener(reason);
    };
    this.worker.on('error', tell);
    this.worker.on('exit', (code) => tell(new Error(`a thread ended with code ${code}`)));
  }

  async end(): Promise<void> {
    this.ending = true;
    await this.worker.terminate();
  }
}

export class NodeThreads implements Threads {
  private readonly file: URL;

  constructor(file: URL) {
    this.file = file;
  }

  start(): Thread {
    return new NodeThread(this.file);
  }
}

/** Within a thread: the way to who started it. */
export function parentOfThread(): Port {
  const parent = workerThreads().parentPort;
  if (parent === null) throw new Error('this is no thread');
  return {
    post: (message) => parent.postMessage(message, []),
    onMessage: (listener) => void parent.on('message', listener),
  };
}
