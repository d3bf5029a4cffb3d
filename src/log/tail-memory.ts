/**
 * The newest batches of every log, kept in memory for readers at the tail, under one budget for the whole broker.
 *
 * Invariants: what a tail holds is the end of its log without a hole; bytes once handed out stay as they are until their reader has released them (a
 * block is only filled further, and its memory is used again when nobody looks at it); when the budget is passed, the oldest blocks of all logs go
 * first. Batches are copied together into blocks, so that the memory they came in is free again and a reader gets few chunks. Large ones are not held:
 * to read them again from the operating system's memory of the file costs no more than to copy them here.
 */
import { lend, release, retain, takeMemory } from '../wire/recycled-memory.ts';
import { batchSizeAt, endOfWholeBatches, lastOffsetAt, positionOfOffset } from './batch-header.ts';

const DEFAULT_BUDGET_BYTES = 16 * 1024 * 1024;
/** Records from this size on are not held. */
const HELD_BELOW_BYTES = 64 * 1024;
const FIRST_BLOCK_BYTES = 1024;
const LARGEST_BLOCK_BYTES = 128 * 1024;
/** Blocks of this size and above are of memory that is used again. */
const RECYCLED_FROM_BYTES = 8 * 1024;

interface Block {
  readonly tail: LogTail;
  readonly bytes: Buffer;
  used: number;
  readonly firstOffset: number;
  endOffset: number;
  dropped: boolean;
}

export interface TailRead {
  readonly chunks: readonly Buffer[];
  readonly sizeInBytes: number;
  /** One past the last offset read; the offset asked for when nothing was. */
  readonly nextOffset: number;
}

/** The budget, and which block is the oldest. */
export class TailMemory {
  readonly budgetBytes: number;
  private bytes = 0;
  /** Oldest first; those before `head` are gone, and so are their bytes. */
  private queue: (Block | undefined)[] = [];
  private head = 0;

  constructor(budgetBytes: number = DEFAULT_BUDGET_BYTES) {
    this.budgetBytes = budgetBytes;
  }

  get usedBytes(): number {
    return this.bytes;
  }

  /** Called by tails only. */
  add(block: Block): void {
    this.queue.push(block);
    this.bytes += block.bytes.length;
    while (this.bytes > this.budgetBytes && this.head < this.queue.length) {
      const oldest = this.queue[this.head];
      this.queue[this.head++] = undefined;
      if (oldest !== undefined && !oldest.dropped) oldest.tail.dropFirst();
    }
    if (this.head > 1024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }

  /** Called by tails only. */
  remove(block: Block): void {
    block.dropped = true;
    this.bytes -= block.bytes.length;
    release(block.bytes);
  }
}

export class LogTail {
  private memory: TailMemory;
  private blocks: Block[] = [];
  private nextBlockBytes = FIRST_BLOCK_BYTES;

  constructor(memory: TailMemory) {
    this.memory = memory;
  }

  /** Forgets what it holds, and counts on another budget from now on. */
  moveTo(memory: TailMemory): void {
    this.clear();
    this.memory = memory;
  }

  /** First offset that a read here can begin with; undefined when nothing is held. */
  get firstOffset(): number | undefined {
    return this.blocks[0]?.firstOffset;
  }

  /** Takes the batches that now end the log; returns the same bytes where they stay as they are until the caller releases them. */
  append(records: Buffer, firstOffset: number, endOffset: number): Buffer {
    if (records.length >= HELD_BELOW_BYTES || this.memory.budgetBytes === 0) {
      this.drop();
      retain(records);
      return records;
    }
    let block = this.blocks[this.blocks.length - 1];
    if (block === undefined || block.bytes.length - block.used < records.length) {
      const size = Math.max(this.nextBlockBytes, records.length);
      const bytes = size < RECYCLED_FROM_BYTES ? Buffer.allocUnsafeSlow(size) : takeMemory(size);
      this.nextBlockBytes = Math.min(LARGEST_BLOCK_BYTES, this.nextBlockBytes * 2);
      block = { tail: this, bytes, used: 0, firstOffset, endOffset, dropped: false };
      retain(bytes);
      this.blocks.push(block);
      // May be dropped at once, where the budget is small.
      this.memory.add(block);
    } else {
      retain(block.bytes);
    }
    const at = block.used;
    records.copy(block.bytes, at);
    block.used += records.length;
    block.endOffset = endOffset;
    return block.bytes.subarray(at, block.used);
  }

  /** The oldest block goes. */
  dropFirst(): void {
    const block = this.blocks.shift();
    if (block !== undefined) this.memory.remove(block);
    if (this.blocks.length === 0) this.nextBlockBytes = FIRST_BLOCK_BYTES;
  }

  /** What is held of offsets below `offset` goes, and what lies in one block with them. */
  dropBelow(offset: number): void {
    while ((this.blocks[0]?.firstOffset ?? offset) < offset) this.dropFirst();
  }

  clear(): void {
    this.drop();
    this.nextBlockBytes = FIRST_BLOCK_BYTES;
  }

  private drop(): void {
    for (const block of this.blocks) this.memory.remove(block);
    this.blocks = [];
  }

  /**
   * Whole batches from the one that holds `offset` or follows it, up to `bound` and, but for the first, `maxBytes`; lent.
   * Undefined when the tail does not reach back to `offset`.
   */
  read(offset: number, maxBytes: number, minOneBatch: boolean, bound: number): TailRead | undefined {
    const begin = this.firstOffset;
    if (begin === undefined || offset < begin) return undefined;
    let index = this.blocks.length - 1;
    while (index > 0 && (this.blocks[index]?.firstOffset ?? 0) > offset) index--;
    const chunks: Buffer[] = [];
    let total = 0;
    let nextOffset = offset;
    let limit = maxBytes;
    for (let block = this.blocks[index]; block !== undefined; block = this.blocks[++index]) {
      const from = chunks.length > 0 ? 0 : positionOfOffset(block.bytes, 0, block.used, offset);
      if (from === block.used) continue;
      const boundary = block.endOffset <= bound ? block.used : positionOfOffset(block.bytes, 0, block.used, bound);
      if (boundary <= from) break;
      if (chunks.length === 0) {
        const firstSize = batchSizeAt(block.bytes, from);
        if (firstSize > limit && !minOneBatch) break;
        limit = Math.max(limit, firstSize);
      }
      const room = limit - total;
      const to = boundary - from <= room ? boundary : endOfWholeBatches(block.bytes, from, from + room);
      if (to > from) {
        chunks.push(lend(block.bytes.subarray(from, to)));
        total += to - from;
        nextOffset = to === block.used ? block.endOffset : nextOffsetAfter(block.bytes, from, to);
      }
      if (to < block.used) break;
    }
    return { chunks, sizeInBytes: total, nextOffset };
  }
}

/** One past the last offset of the whole batches in [from, to). */
export function nextOffsetAfter(bytes: Buffer, from: number, to: number): number {
  let position = from;
  let next = -1;
  while (position < to) {
    next = lastOffsetAt(bytes, position) + 1;
    position += batchSizeAt(bytes, position);
  }
  return next;
}
