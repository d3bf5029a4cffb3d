/**
 * Memory that the machine has at hand while a load runs.
 *
 * A virtual machine may give free memory back to its host within seconds. What is written to a file then costs whoever writes it a fault of the host
 * for every page, as much as all else that a broker does with a large batch, and which of the brokers pays is chance. A process that holds memory
 * gives it back as the load needs it, so that neither does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freemem } from 'node:os';
import type { Installed } from './clients.ts';

const MOST_MB = 4096;

/** Runs `load`, which writes for about `seconds`, with memory at hand; a quarter of what is free at most. */
export async function withMemoryAtHand<T>(installed: Installed, seconds: number, load: () => Promise<T>): Promise<T> {
  const size = Math.min(MOST_MB, Math.floor(freemem() / 2 ** 22));
  const args = ['', 'memory', `-size=${size}`, `-seconds=${seconds}`];
  const holder = spawn(installed.franzGo, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  try {
    await Promise.race([once(holder.stdout, 'data'), ended]);
    holder.stdin.write('begin\n');
    return await load();
  } finally {
    holder.kill();
    await ended;
  }
}
