/** What has happened in a simulation, as one number that two runs of a seed must have in common, and the last lines of it in words. */
import { crc32 } from 'node:zlib';

const KEPT_LINES = 60;

export class Trace {
  private sum = 0;
  private readonly lines: string[] = [];
  private readonly everything: boolean;
  steps = 0;

  /** `everything`: all lines go to the error output as they come. */
  constructor(everything = false) {
    this.everything = everything;
  }

  /** Something that counts. */
  note(nowMs: number, what: string): void {
    this.steps++;
    this.sum = crc32(`${nowMs} ${what}\n`, this.sum);
    if (what !== 'end of turn') this.say(nowMs, what);
  }

  /** Bytes that went over the network or to the disk. */
  bytes(content: Buffer): void {
    this.sum = crc32(content, this.sum);
  }

  /** Something for people. */
  say(nowMs: number, what: string): void {
    const line = `${nowMs.toFixed(1).padStart(10)} ${what}`;
    if (this.everything) process.stderr.write(`${line}\n`);
    this.lines.push(line);
    if (this.lines.length > 2 * KEPT_LINES) this.lines.splice(0, KEPT_LINES);
  }

  get hash(): string {
    return this.sum.toString(16).padStart(8, '0');
  }

  get last(): string {
    return this.lines.slice(-KEPT_LINES).join('\n');
  }
}
