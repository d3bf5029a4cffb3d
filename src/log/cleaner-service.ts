/**
 * The thread's side of cleaning: does one job after the other as it is told, and says how it gets on.
 *
 * Invariants: every job is answered once; no more than a few reports of work are unanswered, so that whoever gave the job decides how fast it goes and
 * whether it goes on.
 */
import { type Files, StorageFailure } from '../world/files.ts';
import type { Port } from '../world/threads.ts';
import { type CleanerReport, type CleanerRequest, UNANSWERED_REPORTS } from './cleaner-messages.ts';
import { Cleaner } from './cleaner.ts';

class Aborted extends Error {
  override readonly name = 'Aborted';
}

class CleanerService {
  private readonly port: Port;
  private readonly cleaner: Cleaner;
  private unanswered = 0;
  private aborted = false;
  private waiting: (() => void) | undefined;

  constructor(port: Port, files: Files) {
    this.port = port;
    this.cleaner = new Cleaner(files, (bytes) => this.worked(bytes));
  }

  private report(report: CleanerReport): void {
    this.port.post(report);
  }

  private async worked(bytes: number): Promise<void> {
    this.unanswered++;
    this.report({ kind: 'worked', bytes });
    while (this.unanswered >= UNANSWERED_REPORTS && !this.aborted) await new Promise<void>((resolve) => (this.waiting = resolve));
    if (this.aborted) throw new Aborted();
  }

  take(request: CleanerRequest): void {
    switch (request.kind) {
      case 'goOn':
        this.unanswered--;
        return this.waiting?.();
      case 'abort':
        this.aborted = true;
        return this.waiting?.();
      case 'map':
        return this.answer(async () => ({ kind: 'mapped', result: await this.cleaner.mapDirtyPart(request.job) }));
      case 'clean':
        return this.answer(async () => ({ kind: 'cleaned', result: await this.cleaner.clean(request.job) }));
    }
  }

  private answer(work: () => Promise<CleanerReport>): void {
    this.aborted = false;
    work().then(
      (report) => this.report(report),
      (error: unknown) => this.report(failureOf(error)),
    );
  }
}

function failureOf(error: unknown): CleanerReport {
  if (error instanceof Aborted) return { kind: 'aborted' };
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof StorageFailure)) return { kind: 'failed', message };
  return { kind: 'failed', message, storage: { path: error.path, code: error.code } };
}

/** Serves until the thread is ended. */
export function serveCleaning(port: Port, files: Files): void {
  const service = new CleanerService(port, files);
  port.onMessage((message) => service.take(message as CleanerRequest));
}
