/** Apache Kafka's tools, run one after another in one Java process (ToolServer.java): each takes a fraction of a second instead of a second and a half. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { endsWithThis } from '../../test/support/own-children.ts';
import { FOR_TOOLS } from './java.ts';

/** What one run of a tool said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolServer {
  /** `main` is a class; runs are done in order. */
  run(main: string, args: readonly string[], input?: string): Promise<Said>;
  stop(): Promise<void>;
}

const SOURCE = 'compat/apache-kafka/ToolServer.java';

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** As DataInputStream.readUTF reads it; enough for text without zeros and without characters beyond the basic plane. */
function word(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The exact bytes of the child's answers, in order. */
class Answers {
  readonly #child: ChildProcess;
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('the tools have no standard output');
    this.#chunks = (child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new Error(`the process of the tools ended with code ${this.#child.exitCode}`);
      this.#held = Buffer.concat([this.#held, next.value]);
    }
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async takeInt(): Promise<number> {
    return (await this.take(4)).readInt32BE();
  }
}

export function startToolServer(jars: string): ToolServer {
  const child = spawn('java', [...FOR_TOOLS, '-cp', `${jars}/*`, SOURCE], {
    stdio: ['pipe', 'pipe', process.env['SHOW'] === undefined ? 'ignore' : 'inherit'],
  });
  const ended = once(endsWithThis(child), 'exit');
  const answers = new Answers(child);
  return {
    run: async (main, args, input = '') => {
      const text = Buffer.from(input);
      child.stdin.write(Buffer.concat([int(args.length + 1), word(main), ...args.map(word), int(text.length), text]));
      const code = await answers.takeInt();
      const stdout = (await answers.take(await answers.takeInt())).toString();
      const stderr = (await answers.take(await answers.takeInt())).toString();
      return { code, stdout, stderr };
    },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
