/** The loads, as data: what is run, over how many partitions, and what the issue of the ratios is. */
import {
  type Figures,
  franzGo,
  type Installed,
  javaConsume,
  javaProduce,
  kafkajs,
  librdkafkaConsume,
  librdkafkaProduce,
} from './clients.ts';

export interface Place {
  readonly installed: Installed;
  readonly address: string;
  /** A new topic for this run, or the one that was filled for readers. */
  readonly topic: string;
  readonly seconds: number;
  /** Multiplies record counts: 1 for a whole run. */
  readonly scale: number;
}

export interface Load {
  readonly name: string;
  readonly kind: 'produce' | 'fetch' | 'latency' | 'requests' | 'partitions' | 'transactions';
  readonly bytes: number;
  /** 0: reads the filled topic. -1: makes its own topics. */
  readonly partitions: number;
  run(place: Place): Promise<Figures>;
}

/** Records of 1 KiB and of 100 bytes that wait for readers. */
export const FILLED = { 1024: 400_000, 100: 2_000_000 } as const;
export type FilledSize = keyof typeof FILLED;

const javaWrites = (bytes: 100 | 1024, acks: '1' | 'all', partitions = 1, codec = 'none'): Load => ({
  name: `Java produce ${said(bytes)}, acks=${acks}${partitions > 1 ? `, ${partitions} partitions` : ''}${codec === 'none' ? '' : `, ${codec}`}`,
  kind: 'produce',
  bytes,
  partitions,
  run: ({ installed, address, topic, scale }) =>
    javaProduce(installed, address, topic, {
      size: bytes,
      records: Math.floor((bytes === 100 ? 1_500_000 : 250_000) * scale),
      acks,
      codec,
    }),
});

const goWrites = (bytes: 100 | 1024, partitions = 1, codec = 'none'): Load => ({
  name: `franz-go produce ${said(bytes)}, acks=all${partitions > 1 ? `, ${partitions} partitions` : ''}${codec === 'none' ? '' : `, ${codec}`}`,
  kind: 'produce',
  bytes,
  partitions,
  run: ({ installed, address, topic, seconds }) => franzGo(installed, address, 'produce', { topic, size: bytes, seconds, codec }),
});

const goLatency = (acks: '1' | 'all'): Load => ({
  name: `franz-go there and back, 100 B, acks=${acks}`,
  kind: 'latency',
  bytes: 100,
  partitions: 1,
  run: ({ installed, address, topic, seconds }) => franzGo(installed, address, 'roundtrip', { topic, size: 100, seconds, acks }),
});

const reads = (client: string, bytes: FilledSize, run: (place: Place, records: number) => Promise<Figures>): Load => ({
  name: `${client} read from the start, ${said(bytes)}`,
  kind: 'fetch',
  bytes,
  partitions: 0,
  run: (place) => run(place, FILLED[bytes]),
});

const said = (bytes: number): string => (bytes === 1024 ? '1 KiB' : `${bytes} B`);

export const LOADS: readonly Load[] = [
  javaWrites(100, '1'),
  javaWrites(100, 'all'),
  javaWrites(1024, '1'),
  javaWrites(1024, 'all'),
  javaWrites(1024, 'all', 16),
  javaWrites(1024, 'all', 1, 'lz4'),
  goWrites(100),
  goWrites(1024),
  goWrites(1024, 16),
  goWrites(1024, 1, 'lz4'),
  ...([100, 1024] as const).map(
    (bytes): Load => ({
      name: `librdkafka produce ${said(bytes)}, acks=all`,
      kind: 'produce',
      bytes,
      partitions: 1,
      run: ({ installed, address, topic, scale }) =>
        librdkafkaProduce(installed, address, topic, bytes, Math.floor((bytes === 100 ? 1_500_000 : 400_000) * scale)),
    }),
  ),
  ...([100, 1024] as const).map(
    (bytes): Load => ({
      name: `kafkajs produce ${said(bytes)}, acks=all`,
      kind: 'produce',
      bytes,
      partitions: 1,
      run: ({ address, topic, seconds }) => kafkajs(address, 'produce', topic, { size: bytes, seconds, records: 0 }),
    }),
  ),
  reads('Java', 100, ({ installed, address, topic }, records) => javaConsume(installed, address, topic, records)),
  reads('Java', 1024, ({ installed, address, topic }, records) => javaConsume(installed, address, topic, records)),
  reads('franz-go', 1024, ({ installed, address, topic, seconds }, records) =>
    franzGo(installed, address, 'consume', { topic, records, seconds }),
  ),
  reads('librdkafka', 1024, ({ installed, address, topic }, records) => librdkafkaConsume(installed, address, topic, records)),
  reads('kafkajs', 1024, ({ address, topic, seconds }, records) =>
    kafkajs(address, 'consume', topic, { size: 1024, seconds, records }),
  ),
  {
    name: 'franz-go read at the tail, 20,000 of 1 KiB a second',
    kind: 'latency',
    bytes: 1024,
    partitions: 1,
    run: ({ installed, address, topic, seconds }) => franzGo(installed, address, 'tail', { topic, size: 1024, seconds }),
  },
  goLatency('1'),
  goLatency('all'),
  {
    name: '64 connections, one record of 100 B a request, acks=all',
    kind: 'requests',
    bytes: 100,
    partitions: 4,
    run: ({ installed, address, topic, seconds }) => franzGo(installed, address, 'single', { topic, size: 100, seconds }),
  },
  {
    name: 'franz-go idempotent produce 1 KiB',
    kind: 'transactions',
    bytes: 1024,
    partitions: 1,
    run: ({ installed, address, topic, seconds }) => franzGo(installed, address, 'idempotence', { topic, size: 1024, seconds }),
  },
  ...[1, 10, 100].map(
    (per): Load => ({
      name: `franz-go transactions of ${per} record${per === 1 ? '' : 's'} of 100 B`,
      kind: 'transactions',
      bytes: 100,
      partitions: 1,
      run: ({ installed, address, topic, seconds }) =>
        franzGo(installed, address, 'transactions', { topic, size: 100, seconds, per }),
    }),
  ),
  {
    name: 'franz-go read committed, a tenth aborted, 1 KiB',
    kind: 'transactions',
    bytes: 1024,
    partitions: 1,
    run: ({ installed, address, topic, scale }) =>
      franzGo(installed, address, 'isolation', { topic, size: 1024, per: 100, records: Math.floor(100_000 * scale) }),
  },
  {
    name: '1,000 partitions, 100 B',
    kind: 'partitions',
    bytes: 100,
    partitions: -1,
    run: ({ installed, address, topic, seconds }) =>
      franzGo(installed, address, 'many', { topic, size: 100, seconds, topics: 100, partitions: 10 }),
  },
];
