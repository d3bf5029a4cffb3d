/**
 * Tells silence from a busy machine. What counts against a broker that has not answered is the time it had to itself: not what its event loop stood in the queue for a
 * processor, and not what passed while this process was not run either. A heartbeat says whether it answers others meanwhile.
 */
import { readFileSync } from 'node:fs';
import type { Address } from '../../test/support/plain-client.ts';
import { NoAnswer, PlainClient } from '../../test/support/plain-client.ts';

/** Of its own time. Nothing that the fuzzer waits for takes a hundredth of it on a quiet machine. */
const PATIENCE_MS = 20_000;
const TICK_MS = 100;
/** A beat on a machine that stands still may be long on its way; nobody waits for it. */
const BEAT_PATIENCE_MS = 3_600_000;

export interface Reading {
  readonly atMs: number;
  /** How long the broker's event loop has waited for a processor since its start. */
  readonly queuedMs: number;
}

/** What of the time between two readings, a tick apart as they were meant to be, was the broker's own. */
export function ownMs(before: Reading, now: Reading, tickMs = TICK_MS): number {
  const noticed = Math.min(now.atMs - before.atMs, 2 * tickMs);
  return Math.max(0, noticed - Math.max(0, now.queuedMs - before.queuedMs));
}

/** Of a process's first thread, in which the event loop is; nothing queues where the machine does not say. */
export function readingOf(pid: number): Reading {
  const atMs = performance.now();
  try {
    return { atMs, queuedMs: Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6 };
  } catch {
    return { atMs, queuedMs: 0 };
  }
}

/** That there was none for longer than the machine explains. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

export interface Listened {
  readonly address: Address;
  readonly pid: number;
}

/** What is awaited from a broker. Rejects with Silence, as soon as it is one. */
export async function patiently<T>({ address, pid }: Listened, awaited: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const pulse = new Pulse(address);
  const beganMs = performance.now();
  let hadMs = 0;
  let before = readingOf(pid);
  let ticking: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    ticking = setInterval(() => {
      const now = readingOf(pid);
      hadMs += ownMs(before, now);
      before = now;
      if (hadMs < patienceMs) return;
      const [own, all] = [hadMs, now.atMs - beganMs].map((ms) => Math.round(ms));
      reject(
        new Silence(
          `no answer in ${own} ms that the broker had to itself, ${all} ms in all; ${pulse.beats} heartbeats were answered`,
        ),
      );
    }, TICK_MS);
  });
  try {
    return await Promise.race([awaited, silence]);
  } finally {
    clearInterval(ticking);
    pulse.stop();
  }
}

/** Asks for next to nothing, again and again, on a connection of its own. */
class Pulse {
  beats = 0;
  readonly #client: PlainClient;
  #next: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(address: Address) {
    this.#client = new PlainClient(address, BEAT_PATIENCE_MS);
    void this.#beat();
  }

  async #beat(): Promise<void> {
    try {
      await this.#client.call('apiVersions', {}, 0, 'heartbeat');
    } catch (error) {
      if (error instanceof NoAnswer) return;
      throw error;
    }
    this.beats++;
    if (!this.#isStopped) this.#next = setTimeout(() => void this.#beat(), TICK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#next);
    this.#client.close();
  }
}
