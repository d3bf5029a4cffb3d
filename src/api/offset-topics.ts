/**
 * The topics of a commit of offsets, by name or by id: those that exist are the coordinator's to answer, the others are answered here.
 *
 * Invariants: a topic that is answered here is answered once, however often it is named; one that does not exist is answered too where no partition of it is named.
 */
import type { MetadataImage } from '../machine/metadata/image.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { ZERO_UUID } from '../wire/uuid.ts';

interface NamedTopic {
  readonly name?: string;
  readonly topicId?: string;
}

interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly partitionIndex: number }[];
}

interface TopicAnswer {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[];
}

export class OffsetTopics<T extends AskedTopic> {
  /** With name and id, and without partitions that do not exist. */
  readonly existing: T[] = [];
  readonly #byId: boolean;
  readonly #answers = new Map<string, TopicAnswer>();

  /** `byId`: topics come by their ids, and go so. */
  constructor(asked: readonly T[], image: MetadataImage, byId: boolean) {
    this.#byId = byId;
    for (const one of asked) this.#sort(one, image);
  }

  #sort(asked: T, image: MetadataImage): void {
    const known = this.#byId ? image.topicsById.get(asked.topicId) : image.topicsByName.get(asked.name);
    const topic = this.#byId ? { ...asked, name: known?.name ?? '' } : { ...asked, topicId: known?.id ?? ZERO_UUID };
    if (known === undefined) this.#answered(topic);
    const isUnknownId = known === undefined && this.#byId;
    for (const { partitionIndex } of asked.partitions) {
      if (known?.partitions.has(partitionIndex)) continue;
      this.answer(topic, partitionIndex, isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    const partitions = asked.partitions.filter(({ partitionIndex }) => known?.partitions.has(partitionIndex));
    if (partitions.length > 0) this.existing.push({ ...topic, partitions });
  }

  /** Nothing had to be answered here. */
  get allExist(): boolean {
    return this.#answers.size === 0;
  }

  #answered({ name = '', topicId = ZERO_UUID }: NamedTopic): TopicAnswer {
    const key = this.#byId ? topicId : name;
    const topic = this.#answers.get(key) ?? { name, topicId, partitions: [] };
    this.#answers.set(key, topic);
    return topic;
  }

  answer(topic: NamedTopic, partitionIndex: number, errorCode: number): void {
    this.#answered(topic).partitions.push({ partitionIndex, errorCode });
  }

  answers() {
    return [...this.#answers.values()].map((topic) => this.named(topic));
  }

  /** By what the client goes by. */
  named<P>({ name = '', topicId = ZERO_UUID, partitions }: NamedTopic & { readonly partitions: P }) {
    return this.#byId ? { topicId, partitions } : { name, partitions };
  }
}
