/** The segments of a log in the order of their base offsets. There is always at least one once a log is open; the last is the active one. */
import type { Segment } from './segment.ts';

export class Segments {
  private list: Segment[] = [];

  get count(): number {
    return this.list.length;
  }

  values(): readonly Segment[] {
    return this.list;
  }

  get sizeInBytes(): number {
    let size = 0;
    for (const segment of this.list) size += segment.size;
    return size;
  }

  get first(): Segment {
    return this.at(0);
  }

  get active(): Segment {
    return this.at(this.list.length - 1);
  }

  private at(index: number): Segment {
    const segment = this.list[index];
    if (segment === undefined) throw new Error('a log without segments');
    return segment;
  }

  /** Replaces the one with the same base offset. */
  add(segment: Segment): void {
    const last = this.list[this.list.length - 1];
    if (last === undefined) {
      // Not pushed: that would make room for many more, and most logs have one.
      this.list = [segment];
      return;
    }
    if (last.baseOffset < segment.baseOffset) {
      this.list.push(segment);
      return;
    }
    const others = this.list.filter((other) => other.baseOffset !== segment.baseOffset);
    this.list = [...others, segment].toSorted((a, b) => a.baseOffset - b.baseOffset);
  }

  remove(segment: Segment): void {
    this.list = this.list.filter((other) => other !== segment);
  }

  /** Index of the last segment that begins at or below `offset`; -1 when there is none. */
  private floorIndex(offset: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).baseOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  floor(offset: number): Segment | undefined {
    return this.list[this.floorIndex(offset)];
  }

  /** The first segment that begins above `offset`. */
  higher(offset: number): Segment | undefined {
    return this.list[this.floorIndex(offset) + 1];
  }

  /** From the one that holds `offset`, or the first, on. */
  from(offset: number): readonly Segment[] {
    return this.list.slice(Math.max(0, this.floorIndex(offset)));
  }
}
