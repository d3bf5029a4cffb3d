/**
 * Feeds records to an image, metadata transactions resolved (KIP-868): what stands between Begin and End is applied at End, at once; what is aborted
 * is dropped. A snapshot holds no transactions, and loading one drops an open transaction.
 */
import type { MetadataRecord } from '../../wire/metadata-record.ts';
import type { MetadataImage } from './image.ts';
import type { MetadataChanges } from './metadata-change.ts';

export class MetadataReplay {
  readonly #image: MetadataImage;
  #pending: MetadataRecord[] | undefined;

  constructor(image: MetadataImage) {
    this.#image = image;
  }

  /** True between a BeginTransactionRecord and its end. */
  get inTransaction(): boolean {
    return this.#pending !== undefined;
  }

  /** Raises Error when Begin, End and Abort do not alternate. */
  replay(record: MetadataRecord, changes: MetadataChanges): void {
    if (record.kind === 'BeginTransactionRecord') {
      if (this.#pending !== undefined) throw new Error('the metadata log begins a transaction inside a transaction');
      this.#pending = [];
    } else if (record.kind === 'EndTransactionRecord' || record.kind === 'AbortTransactionRecord') {
      const pending = this.#pending;
      if (pending === undefined) throw new Error(`the metadata log has ${record.kind} outside a transaction`);
      this.#pending = undefined;
      if (record.kind === 'EndTransactionRecord') for (const held of pending) this.#image.apply(held, changes);
    } else if (this.#pending === undefined) {
      this.#image.apply(record, changes);
    } else {
      this.#pending.push(record);
    }
  }
}
