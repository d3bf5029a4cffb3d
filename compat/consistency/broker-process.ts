/** The broker of a run: a process that is killed, stopped and started again on the same port and directory. */
import type { OwnerProcess } from '../apache-kafka/directory-owner.ts';

export class BrokerProcess {
  private readonly launch: () => Promise<OwnerProcess>;
  private running: OwnerProcess | undefined;

  /** `launch` starts it and waits until it answers. */
  constructor(launch: () => Promise<OwnerProcess>) {
    this.launch = launch;
  }

  async start(): Promise<void> {
    this.running = await this.launch();
  }

  signal(signal: NodeJS.Signals): void {
    this.running?.process.kill(signal);
  }

  /** Resolves when the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.running?.stop(signal);
    this.running = undefined;
  }
}
