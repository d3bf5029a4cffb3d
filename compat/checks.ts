/** What a suite has checked: a line for each check as it is made, and `N passed, M failed` at its end, which `run` adds up. */

const MOST_LINES = 20;

export class Checks {
  passed = 0;
  private failed = 0;

  /** `fault`: what is wrong, undefined when nothing is. */
  readonly check = (name: string, fault: string | undefined): void => {
    if (fault === undefined) this.passed++;
    else this.failed++;
    console.log(fault === undefined ? `ok ${name}` : `not ok ${name}\n    ${shown(fault)}`);
  };

  /** A check that could not be made. */
  readonly broke = (name: string, error: unknown): void =>
    this.check(name, error instanceof Error ? (error.stack ?? error.message) : String(error));

  /** The last line, and the exit code of the process. */
  end(): void {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed === 0 ? 0 : 1;
  }
}

const shown = (fault: string): string => fault.trim().split('\n').slice(0, MOST_LINES).join('\n    ');
