/** Structured lines for operators: time, level, sentence, then facts as key=value. What is below the level costs one comparison. */
import type { Clock } from '../world/clock.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Facts = Readonly<Record<string, unknown>>;

export interface Logger {
  error(sentence: string, facts?: Facts): void;
  warn(sentence: string, facts?: Facts): void;
  info(sentence: string, facts?: Facts): void;
  debug(sentence: string, facts?: Facts): void;
}

/** Writes what is at `level` or graver. */
export function createLogger(level: LogLevel, clock: Clock, write: (line: string) => void): Logger {
  const limit = LOG_LEVELS.indexOf(level);
  const at =
    (rank: number) =>
    (sentence: string, facts: Facts = {}): void => {
      if (rank <= limit) write(`${new Date(clock.now()).toISOString()} ${LOG_LEVELS[rank]} ${sentence}${shown(facts)}\n`);
    };
  return { error: at(0), warn: at(1), info: at(2), debug: at(3) };
}

function shown(facts: Facts): string {
  return Object.entries(facts)
    .map(([key, value]) => ` ${key}=${fact(value)}`)
    .join('');
}

function fact(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return /^[^\s"=]+$/.test(text) ? text : typeof value === 'string' ? JSON.stringify(text) : text;
}
