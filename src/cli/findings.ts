/** What `blumfeld verify` has found: what is wrong, and what is only worth knowing, by file and byte. */

export interface Finding {
  /** Relative to the data directory. */
  readonly path: string;
  /** Byte in the file; undefined where it is the file as a whole. */
  readonly position: number | undefined;
  readonly what: string;
  /** A start puts it right, or it does no harm. */
  readonly isHarmless: boolean;
}

export class Findings {
  readonly all: Finding[] = [];
  /** Files that were looked at. */
  fileCount = 0;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  wrong(path: string, what: string, position?: number): void {
    this.#add(path, what, position, false);
  }

  note(path: string, what: string, position?: number): void {
    this.#add(path, what, position, true);
  }

  #add(path: string, what: string, position: number | undefined, isHarmless: boolean): void {
    const relative = path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : path;
    this.all.push({ path: relative, position, what, isHarmless });
  }

  get wrongCount(): number {
    return this.all.filter(({ isHarmless }) => !isHarmless).length;
  }
}
