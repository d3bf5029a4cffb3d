/**
 * Cuts a byte stream into frames: an int32 size, then that many bytes.
 *
 * Invariants: a size is checked before anything is allocated for it; every frame has memory of its own (small ones share Node's pool), which whoever
 * is done with a frame may release; what is taken for a frame under way never exceeds sixteen times the bytes that have arrived for it, or
 * GROW_FROM_BYTES.
 * Nothing is cut before it is asked for: `next` does the work, `push` only keeps the chunk. Chunks are borrowed until `own`. Most of a large frame
 * is read by the network right into its place (`target`), and copied by nobody.
 */
import { ProtocolViolation } from './protocol-violation.ts';
import { release, takeMemory } from './recycled-memory.ts';

const SIZE_BYTES = 4;
/** A larger frame gets its memory in two steps and then doubling ones, so that a size alone, without its bytes, costs nothing. */
const GROW_FROM_BYTES = 1 << 20;
const SECOND_STEP_BYTES = 1 << 24;
/** From this size on the rest of a frame is worth a read of its own. */
const TARGET_FROM_BYTES = 16 * 1024;
/** Frames below are cut from Node's pool. */
const POOLED_BELOW_BYTES = 4096;
const EMPTY = Buffer.alloc(0);

export class FrameReader {
  private readonly maxFrameBytes: number;
  private readonly admit: (frameBytes: number) => boolean;
  private admitted = false;
  /** What has arrived and is not yet cut; the first chunk is used up to `position`. */
  private readonly chunks: Buffer[] = [];
  /** How many of the first chunks are this reader's own. */
  private owned = 0;
  private position = 0;
  private waiting = 0;
  /** Size of the frame under way, -1 while its size is not known. */
  private frameBytes = -1;
  private frame: Buffer = EMPTY;
  private filled = 0;

  /** `admit` is asked once a frame's size is known, before anything is allocated, again at every `next` while it says no. */
  constructor(maxFrameBytes: number, admit: (frameBytes: number) => boolean = () => true) {
    this.maxFrameBytes = maxFrameBytes;
    this.admit = admit;
  }

  /** Bytes pushed and not yet part of a frame that `next` has begun. */
  get waitingBytes(): number {
    return this.waiting;
  }

  /** Size of the frame under way that was admitted; 0 when there is none. */
  get admittedBytes(): number {
    return this.admitted ? this.frameBytes : 0;
  }

  /** Bytes of the frame under way that are allocated. */
  get heldBytes(): number {
    return this.frame.length;
  }

  /** The memory of `chunk` has to stay as it is until `own`. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.waiting === 0 && this.isInPlace(chunk)) {
      this.filled += chunk.length;
      return;
    }
    this.chunks.push(chunk);
    this.waiting += chunk.length;
  }

  private isInPlace(chunk: Buffer): boolean {
    const { frame } = this;
    return chunk.buffer === frame.buffer && chunk.byteOffset === frame.byteOffset + this.filled;
  }

  /** Room for what has still to come of a large frame under way. */
  target(): Buffer | undefined {
    if (this.waiting > 0 || this.filled === 0 || this.frameBytes - this.filled < TARGET_FROM_BYTES) return undefined;
    this.makeRoom(TARGET_FROM_BYTES);
    return this.frame.subarray(this.filled);
  }

  /** Takes over what has not been cut: from now on the chunks' memory is their giver's again. */
  own(): void {
    if (this.waiting === 0) return;
    const { chunks, position } = this;
    for (let i = this.owned; i < chunks.length; i++) {
      const chunk = chunks[i] as Buffer;
      chunks[i] = Buffer.from(i === 0 ? chunk.subarray(position) : chunk);
      if (i === 0) this.position = 0;
    }
    this.owned = chunks.length;
  }

  /** The next whole frame, without its size. Raises ProtocolViolation for a size that is negative or above the limit. */
  next(): Buffer | undefined {
    if (this.frameBytes < 0 && !this.readSize()) return undefined;
    if (!this.admitted) {
      if (!this.admit(this.frameBytes)) return undefined;
      this.admitted = true;
    }
    if (this.frameBytes === 0) return this.finish(EMPTY);
    this.fill();
    return this.filled === this.frameBytes ? this.finish(this.frame) : undefined;
  }

  private finish(frame: Buffer): Buffer {
    this.frameBytes = -1;
    this.admitted = false;
    this.frame = EMPTY;
    this.filled = 0;
    return frame;
  }

  private readSize(): boolean {
    if (this.waiting < SIZE_BYTES) return false;
    let size = 0;
    for (let i = 0; i < SIZE_BYTES; i++) {
      const at = this.position;
      const byte = (this.chunks[0] as Buffer)[at] as number;
      this.take(1);
      size = (size << 8) | byte;
    }
    if (size < 0) throw new ProtocolViolation(`frame of ${size} bytes: a size is never negative`);
    if (size > this.maxFrameBytes)
      throw new ProtocolViolation(`frame of ${size} bytes, larger than socket.request.max.bytes = ${this.maxFrameBytes}`);
    this.frameBytes = size;
    return true;
  }

  /** Moves on by `size` bytes, all of the first chunk; returns the position behind them. */
  private take(size: number): number {
    const end = this.position + size;
    this.waiting -= size;
    this.position = end;
    if (end === (this.chunks[0] as Buffer).length) {
      this.chunks.shift();
      this.position = 0;
      if (this.owned > 0) this.owned--;
    }
    return end;
  }

  private fill(): void {
    while (this.filled < this.frameBytes) {
      const chunk = this.chunks[0];
      if (chunk === undefined) return;
      const size = Math.min(chunk.length - this.position, this.frameBytes - this.filled);
      this.makeRoom(size);
      chunk.copy(this.frame, this.filled, this.position, this.position + size);
      this.filled += size;
      this.take(size);
    }
  }

  private makeRoom(size: number): void {
    const wanted = this.filled + size;
    if (wanted <= this.frame.length) return;
    const step = this.filled < GROW_FROM_BYTES ? GROW_FROM_BYTES : Math.max(SECOND_STEP_BYTES, this.frame.length * 2);
    const capacity = Math.min(this.frameBytes, Math.max(step, wanted));
    const frame = capacity < POOLED_BELOW_BYTES ? Buffer.allocUnsafe(capacity) : takeMemory(capacity);
    this.frame.copy(frame, 0, 0, this.filled);
    release(this.frame);
    this.frame = frame;
  }
}
