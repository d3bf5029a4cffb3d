/** What the host of a machine is given, and what it answers. */
import type { VerificationGuard } from '../log/verification.ts';
import type { Machine } from '../machine/machine.ts';
import type { Partition } from '../partition/partition.ts';
import type { CompressionCodec } from '../wire/compression/codec.ts';
import type { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock } from '../world/clock.ts';

export interface HostOptions<Input, Record, Reply, After, Effect = never> {
  readonly clock: Clock;
  readonly partition: Partition;
  /** A fresh, empty machine. */
  machine(): Machine<Input, Record, Reply, After, Effect>;
  /** Undefined for a kind that is not known: it is passed over. */
  readRecord(key: Buffer, value: Buffer | null): Record | undefined;
  writeRecord(record: Record): { readonly key: Buffer; readonly value: Buffer | null };
  readonly codec: CompressionCodec;
  /** A reply whose records are not committed in this time is given as REQUEST_TIMED_OUT; what was decided stands. */
  readonly writeTimeoutMs: number;
  /** Carries out what the machine wants of the world. */
  carryOut?(effect: Effect): void;
  /** The machine is no more, and what it wanted of the world is void: a new one says anew what it wants. */
  onDropped?(): void;
  /** A replay that the log does not allow; the host is closed then. */
  onLoadFailure(failure: unknown): void;
}

/** A request either gets the machine's reply or the error that kept it from one, as the partition has it. */
export type Hosted<Reply> = { readonly ok: true; readonly reply: Reply } | { readonly ok: false; readonly error: ErrorCode };

/** A request whose records are part of a producer's transaction: they count once its marker has come. */
export interface TransactionalWrite {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Undefined when the transaction is open in the partition. */
  readonly guard: VerificationGuard | undefined;
}
