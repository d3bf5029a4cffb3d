/** What applying a batch of records has changed: what the image's followers act upon. */
import type { PartitionImage, TopicImage } from './topic-image.ts';

/** A thing that has configs. A broker with the empty name stands for the default of all brokers. */
export interface ConfigResource {
  readonly type: number;
  readonly name: string;
}

export type MetadataChange =
  /** With all partitions and configs it was created with. */
  | { readonly kind: 'topicCreated'; readonly topic: TopicImage }
  | { readonly kind: 'topicDeleted'; readonly topic: TopicImage }
  | { readonly kind: 'partitionsAdded'; readonly topic: TopicImage; readonly partitions: readonly PartitionImage[] }
  | {
      readonly kind: 'partitionChanged';
      readonly topic: TopicImage;
      readonly partition: PartitionImage;
      readonly previous: PartitionImage;
    }
  | { readonly kind: 'configsChanged'; readonly resource: ConfigResource; readonly names: readonly string[] }
  | { readonly kind: 'brokerChanged'; readonly brokerId: number }
  | { readonly kind: 'controllerChanged'; readonly controllerId: number }
  | { readonly kind: 'featureChanged'; readonly name: string }
  | { readonly kind: 'aclsChanged' }
  | { readonly kind: 'clientQuotasChanged' }
  | { readonly kind: 'scramCredentialsChanged'; readonly user: string }
  | { readonly kind: 'delegationTokensChanged' };

/**
 * Gathers the changes of one batch. What happens to a topic after its creation in the same batch is part of its creation; partitions added to one
 * topic and configs changed of one resource are one change each; a topic created and deleted at once is none.
 */
export class MetadataChanges {
  #changes: MetadataChange[] = [];
  readonly #created = new Set<TopicImage>();
  readonly #added = new Map<TopicImage, PartitionImage[]>();
  readonly #configs = new Map<string, string[]>();

  get list(): readonly MetadataChange[] {
    return this.#changes;
  }

  add(change: MetadataChange): void {
    this.#changes.push(change);
  }

  topicCreated(topic: TopicImage): void {
    this.#created.add(topic);
    this.add({ kind: 'topicCreated', topic });
  }

  topicDeleted(topic: TopicImage): void {
    const createdHere = this.#created.delete(topic);
    this.#added.delete(topic);
    this.#changes = this.#changes.filter((c) => !('topic' in c) || c.topic !== topic);
    if (!createdHere) this.add({ kind: 'topicDeleted', topic });
  }

  partitionAdded(topic: TopicImage, partition: PartitionImage): void {
    if (this.#created.has(topic)) return;
    const added = this.#added.get(topic);
    if (added !== undefined) {
      added.push(partition);
      return;
    }
    const partitions = [partition];
    this.#added.set(topic, partitions);
    this.add({ kind: 'partitionsAdded', topic, partitions });
  }

  partitionChanged(topic: TopicImage, partition: PartitionImage, previous: PartitionImage): void {
    if (this.#created.has(topic)) return;
    this.add({ kind: 'partitionChanged', topic, partition, previous });
  }

  configChanged(resource: ConfigResource, name: string, topic: TopicImage | undefined): void {
    if (topic !== undefined && this.#created.has(topic)) return;
    const key = `${resource.type}:${resource.name}`;
    const names = this.#configs.get(key);
    if (names !== undefined) {
      names.push(name);
      return;
    }
    const first = [name];
    this.#configs.set(key, first);
    this.add({ kind: 'configsChanged', resource, names: first });
  }
}
