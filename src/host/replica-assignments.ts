/**
 * Tells the controller in which directories this broker's replicas are: what comes in one turn goes in one request, the last word for each replica,
 * as Apache Kafka's AssignmentsManager does it (KIP-858).
 */
import type { ReplicaAssignment } from '../partition/replica-moves.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';
import type { MetadataLog } from './metadata-log.ts';

type Told = (error: ErrorCode | undefined) => void;

type Controller = Pick<MetadataLog, 'isClosed' | 'nodeId' | 'submit'>;

export class ReplicaAssignments {
  readonly #clock: Pick<Clock, 'endOfTurn'>;
  readonly #controller: Controller;
  #waiting = new Map<string, { readonly assignment: ReplicaAssignment; readonly told: Told[] }>();
  #sending: Promise<void> = Promise.resolve();

  constructor(clock: Pick<Clock, 'endOfTurn'>, controller: Controller) {
    this.#clock = clock;
    this.#controller = controller;
  }

  /** Resolves when it is recorded, or with the reason why not; with undefined when nothing is recorded any more. */
  assign(assignment: ReplicaAssignment): Promise<ErrorCode | undefined> {
    const key = `${assignment.topicId}-${assignment.partitionIndex}`;
    if (this.#waiting.size === 0) this.#sending = new Promise((resolve) => this.#clock.endOfTurn(() => resolve(this.#send())));
    return new Promise((resolve) => {
      const told = this.#waiting.get(key)?.told ?? [];
      this.#waiting.set(key, { assignment, told: [...told, resolve] });
    });
  }

  /** Resolves when all that came so far is recorded, or is not to be any more. */
  settled(): Promise<void> {
    return this.#sending;
  }

  async #send(): Promise<void> {
    const sent = [...this.#waiting.values()];
    this.#waiting = new Map();
    const assignments = sent.map(({ assignment }) => assignment);
    let errors: readonly (ErrorCode | undefined)[] = [];
    try {
      errors = await this.#controller.submit('assignReplicasToDirs', { brokerId: this.#controller.nodeId, assignments });
    } catch (error) {
      // A log that has failed says so to everybody itself, and after one that is stopped nobody is there; anything else is an error of the code.
      if (!this.#controller.isClosed) throw error;
    } finally {
      for (const [i, { told }] of sent.entries()) for (const tell of told) tell(errors[i]);
    }
  }
}
