/** What is stored is no batch where one has to be. Source: CorruptRecordException of Apache Kafka. */
export class CorruptBatch extends Error {
  override readonly name = 'CorruptBatch';

  constructor(path: string, position: number, why: string) {
    super(`${path} has no record batch at position ${position}: ${why}`);
  }
}
