/** A controller and its image without a log: what is decided is applied at once. One broker, 1, registered and unfenced, unless told otherwise. */
import { type ControllerOperation, type ControllerOperations, step } from '../../../src/machine/metadata/controller.ts';
import type { BrokerConfigs, Surroundings } from '../../../src/machine/metadata/decision.ts';
import { SUPPORTED_FEATURES } from '../../../src/machine/metadata/features.ts';
import { MetadataImage } from '../../../src/machine/metadata/image.ts';
import { type MetadataChange, MetadataChanges } from '../../../src/machine/metadata/metadata-change.ts';
import { BROKER_CONFIGS } from '../../../src/wire/generated/configs.ts';
import { type MetadataRecordDraft, readMetadataRecord, writeMetadataRecord } from '../../../src/wire/metadata-record.ts';
import { stringOfUuid } from '../../../src/wire/uuid.ts';

export class BrokerProperties implements BrokerConfigs {
  readonly #set: Map<string, string>;

  constructor(set: Readonly<Record<string, string>> = {}) {
    this.#set = new Map(Object.entries(set));
  }

  string(name: string): string {
    return this.#set.get(name) ?? BROKER_CONFIGS.find((fact) => fact.name === name)?.default ?? '';
  }

  int(name: string): number {
    return Number(this.string(name));
  }

  boolean(name: string): boolean {
    return this.string(name) === 'true';
  }

  explicit(): ReadonlyMap<string, string> {
    return this.#set;
  }
}

export class Cluster {
  readonly image = new MetadataImage();
  readonly properties: BrokerProperties;
  nextOffset = 0;
  kraftVersion = 1;
  #uuids = 0;
  /** Of the last operation. */
  changes: readonly MetadataChange[] = [];
  records: readonly MetadataRecordDraft[] = [];

  constructor(
    o: {
      readonly properties?: Readonly<Record<string, string>>;
      readonly elr?: boolean;
      readonly brokers?: readonly number[];
    } = {},
  ) {
    this.properties = new BrokerProperties(o.properties);
    const levels: [string, number][] = [['metadata.version', 33]];
    if (o.elr !== false) levels.push(['eligible.leader.replicas.version', 1]);
    this.apply(levels.map(([name, featureLevel]) => ({ kind: 'FeatureLevelRecord', value: { name, featureLevel } })));
    for (const brokerId of o.brokers ?? [1]) {
      this.register(brokerId, -1);
      this.perform('unfenceBroker', { brokerId });
    }
  }

  register(brokerId: number, previousBrokerEpoch: number, logDirs = [stringOfUuid(Buffer.alloc(16, 200 + brokerId))]): number {
    return this.perform('registerBroker', {
      brokerId,
      incarnationId: this.uuid(),
      endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: SUPPORTED_FEATURES,
      rack: null,
      logDirs,
      previousBrokerEpoch,
    }).brokerEpoch;
  }

  perform<K extends ControllerOperation>(
    operation: K,
    request: ControllerOperations[K]['request'],
  ): ControllerOperations[K]['reply'] {
    const { records, reply } = step(operation, request, this.around());
    this.apply(records);
    return reply;
  }

  around(): Surroundings {
    return {
      image: this.image,
      brokerConfigs: this.properties,
      nodeId: 1,
      kraftVersion: this.kraftVersion,
      nowMs: 0,
      nextOffset: this.nextOffset,
      uuid: () => this.uuid(),
      below: () => 0,
    };
  }

  /** Through bytes, as from a log. */
  apply(records: readonly MetadataRecordDraft[]): void {
    const changes = new MetadataChanges();
    for (const draft of records) this.image.apply(readMetadataRecord(writeMetadataRecord(draft, 0)), changes);
    this.nextOffset += records.length;
    this.records = records;
    this.changes = changes.list;
  }

  uuid(): string {
    const bytes = Buffer.alloc(16, 7);
    bytes.writeUInt32BE(++this.#uuids, 12);
    return stringOfUuid(bytes);
  }

  /** One topic as a client would ask for it; the error's code and text, or null. */
  create(
    name: string,
    o: {
      partitions?: number;
      replicationFactor?: number;
      assignments?: Record<number, number[]>;
      configs?: Record<string, string | null>;
    } = {},
  ): readonly [number, string | null] {
    const assignments = Object.entries(o.assignments ?? {}).map(([index, brokerIds]) => ({
      partitionIndex: Number(index),
      brokerIds,
    }));
    const manual = assignments.length > 0;
    const [reply] = this.perform('createTopics', {
      timeoutMs: 0,
      validateOnly: false,
      topics: [
        {
          name,
          numPartitions: o.partitions ?? (manual ? -1 : 1),
          replicationFactor: o.replicationFactor ?? -1,
          assignments,
          configs: Object.entries(o.configs ?? {}).map(([config, value]) => ({ name: config, value })),
        },
      ],
    });
    return [reply?.errorCode ?? -1, reply?.errorMessage ?? null];
  }

  /** Changes of one resource; the error's code and text. */
  alter(
    resourceType: number,
    resourceName: string,
    configs: readonly (readonly [name: string, operation: number, value: string | null])[],
    validateOnly = false,
  ): readonly [number, string | null] {
    const resources = [
      {
        resourceType,
        resourceName,
        configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
      },
    ];
    const [reply] = this.perform('incrementalAlterConfigs', { validateOnly, resources });
    return [reply?.errorCode ?? -1, reply?.errorMessage ?? null];
  }
}
