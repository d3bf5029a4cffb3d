/** The broker of a run: a process that is killed, stopped and started again on the same port and directory. */
import { type Directory, type Owner, type OwnerProcess, startOn } from '../apache-kafka/directory-owner.ts';

export class BrokerProcess {
  private readonly directory: Directory;
  private readonly owner: Owner;
  private readonly jars: string;
  private running: OwnerProcess | undefined;
  starts = 0;

  constructor(directory: Directory, owner: Owner, jars: string) {
    this.directory = directory;
    this.owner = owner;
    this.jars = jars;
  }

  async start(): Promise<void> {
    this.running = await startOn(this.directory, this.owner, this.jars);
    this.starts++;
  }

  signal(signal: NodeJS.Signals): void {
    this.running?.process.kill(signal);
  }

  /** Resolves when the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.signal(signal);
    await this.running?.ended;
    this.running = undefined;
  }
}
