/** A topic that the broker itself creates and writes to. */
export interface InternalTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic configs by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
}
