/** What was measured, and what of it can be believed. */
import type { Figures } from './clients.ts';
import type { Load } from './loads.ts';
import type { Owner } from '../apache-kafka/directory-owner.ts';

export interface Sample {
  readonly load: Load;
  readonly broker: Owner;
  readonly figures: Figures;
  readonly brokerCpuSeconds: number;
  /** Share of the machine that neither the brokers nor the clients used. */
  readonly othersShare: number;
}

export interface Footprint {
  readonly broker: Owner;
  readonly startMs: readonly number[];
  readonly idleMb: readonly number[];
  loadedMb: number;
}

export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** Undefined where the load has no such figure. */
  of(sample: Sample): number | undefined;
  /** Whether more is better. */
  readonly rises: boolean;
  /** What is wanted is wanted of Blumfeld's figure, not of the ratio. */
  readonly isAbsolute?: boolean;
}

/** What the ratio of Blumfeld to Apache Kafka is wanted to be; undefined where nothing is asked. */
export function wanted(load: Load, measure: Measure): number | undefined {
  switch (measure.name) {
    case 'rate':
      if (load.kind === 'requests') return 2;
      if (load.kind === 'fetch') return 1;
      if (load.kind !== 'produce') return undefined;
      return load.name.startsWith('franz-go') ? 1.3 : 1.1;
    case 'CPU':
      if (load.kind === 'produce') return 0.7;
      return load.kind === 'fetch' ? 1 : undefined;
    case 'part of the rate without':
      return load.name.includes('idempotent') ? 0.97 : undefined;
    case 'p50':
      return load.kind === 'latency' ? 0.5 : undefined;
    case 'p99':
      return load.kind === 'latency' ? 0.3 : undefined;
    default:
      return undefined;
  }
}

const perRecord = (sample: Sample): number => (sample.brokerCpuSeconds / sample.figures.records) * 1e6;

export const MEASURES: readonly Measure[] = [
  { name: 'rate', unit: 'a second', rises: true, of: ({ figures }) => figures.rate },
  { name: 'p50', unit: 'ms', rises: false, of: ({ figures }) => figures.p50 },
  { name: 'p99', unit: 'ms', rises: false, of: ({ figures }) => figures.p99 },
  { name: 'part of the rate without', unit: '1', rises: true, isAbsolute: true, of: ({ figures }) => figures.part },
  { name: 'created', unit: 'ms', rises: false, of: ({ figures }) => figures.created },
  { name: 'CPU', unit: 'µs a record', rises: false, of: perRecord },
  {
    name: 'CPU a GB',
    unit: 's',
    rises: false,
    of: (sample) =>
      sample.load.kind === 'produce' || sample.load.kind === 'fetch' ? (perRecord(sample) * 1000) / sample.load.bytes : undefined,
  },
];

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
