/**
 * Deadlines as data: at most one per key. Moving one later, as every heartbeat does, changes one number; its place in the heap is corrected when it
 * comes up.
 *
 * Invariants: every key has a heap entry at or before its time; a parent in the heap is never later than its children.
 */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly key: string;
}

interface Alarm<T> {
  atMs: number;
  /** Where its earliest heap entry stands. */
  heapAtMs: number;
  what: T;
}

export class Alarms<T> {
  readonly #alarms = new Map<string, Alarm<T>>();
  readonly #heap: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#alarms.size;
  }

  /** When `key` is due; undefined when it is not set. */
  at(key: string): number | undefined {
    return this.#alarms.get(key)?.atMs;
  }

  set(key: string, atMs: number, what: T): void {
    const alarm = this.#alarms.get(key);
    if (alarm !== undefined) {
      alarm.atMs = atMs;
      alarm.what = what;
      if (alarm.heapAtMs <= atMs) return;
      alarm.heapAtMs = atMs;
    } else this.#alarms.set(key, { atMs, heapAtMs: atMs, what });
    this.#push({ atMs, order: this.#order++, key });
  }

  cancel(key: string): void {
    this.#alarms.delete(key);
  }

  /** When the earliest is due; Infinity when none is set. */
  get nextMs(): number {
    this.#settle();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out the earliest that is due by `nowMs`. */
  takeDue(nowMs: number): T | undefined {
    this.#settle();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.#pop();
    const alarm = this.#alarms.get(first.key);
    this.#alarms.delete(first.key);
    return alarm?.what;
  }

  /** Drops entries of cancelled keys from the top, and puts those that were moved later where they belong. */
  #settle(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      const alarm = this.#alarms.get(first.key);
      if (alarm !== undefined && alarm.heapAtMs === first.atMs && alarm.atMs === first.atMs) return;
      this.#pop();
      if (alarm === undefined || alarm.heapAtMs !== first.atMs) continue;
      alarm.heapAtMs = alarm.atMs;
      this.#push({ atMs: alarm.atMs, order: this.#order++, key: first.key });
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(entry, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        child = right;
        below++;
      }
      if (child === undefined || !before(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
