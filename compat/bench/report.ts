/** RESULTS.md: medians, the spread, and ratios to Apache Kafka in the same run. */
import { cpus, totalmem } from 'node:os';
import type { Owner } from '../apache-kafka/directory-owner.ts';
import type { Load } from './loads.ts';
import type { StorageFigure } from './storage.ts';
import { type Footprint, type Measure, MEASURES, median, type Sample, wanted } from './samples.ts';

export interface Run {
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly begun: Date;
  readonly minutes: number;
  readonly samples: readonly Sample[];
  readonly footprints: readonly Footprint[];
  readonly storage: readonly StorageFigure[];
  readonly failures: readonly string[];
}

export function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function spread(values: readonly number[]): string {
  const middle = median(values);
  if (middle === undefined) return '–';
  if (values.length === 1) return number(middle);
  return `${number(middle)} (${number(Math.min(...values))}–${number(Math.max(...values))})`;
}

interface Compared {
  readonly kafka: readonly number[];
  readonly ours: readonly number[];
  readonly ratio: number | undefined;
}

function compared(samples: readonly Sample[], load: Load, measure: Measure): Compared {
  const of = (broker: Owner): number[] =>
    samples
      .filter((sample) => sample.load === load && sample.broker === broker)
      .map((sample) => measure.of(sample))
      .filter((value) => value !== undefined);
  const [kafka, ours] = [of('Apache Kafka'), of('Blumfeld')];
  const [below, above] = [median(kafka), median(ours)];
  return { kafka, ours, ratio: below === undefined || above === undefined || below === 0 ? undefined : above / below };
}

function verdict(ratio: number | undefined, aim: number | undefined, rises: boolean): string {
  if (aim === undefined) return '';
  const reached = ratio !== undefined && (rises ? ratio >= aim : ratio <= aim);
  return `${rises ? '≥' : '≤'} ${aim}${reached ? ' ✓' : ' ✗'}`;
}

function rowsOf(samples: readonly Sample[]): string[] {
  const rows: string[] = [];
  for (const load of new Set(samples.map((sample) => sample.load))) {
    for (const measure of MEASURES) {
      const { kafka, ours, ratio } = compared(samples, load, measure);
      if (kafka.length === 0 && ours.length === 0) continue;
      const shown = ratio === undefined ? '–' : `**${ratio.toFixed(2)}**`;
      const judged = measure.isAbsolute === true ? median(ours) : ratio;
      const aim = verdict(judged, wanted(load, measure), measure.rises);
      rows.push(`| ${load.name} | ${measure.name}, ${measure.unit} | ${spread(kafka)} | ${spread(ours)} | ${shown} | ${aim} |`);
    }
  }
  return rows;
}

function footprintRows(footprints: readonly Footprint[]): string[] {
  const kafka = footprints.find(({ broker }) => broker === 'Apache Kafka');
  const ours = footprints.find(({ broker }) => broker === 'Blumfeld');
  if (kafka === undefined || ours === undefined) return [];
  const row = (name: string, a: readonly number[], b: readonly number[], aim: string, reached: boolean): string => {
    const ratio = (median(b) ?? 0) / (median(a) ?? 1);
    return `| ${name} | | ${spread(a)} | ${spread(b)} | **${ratio.toFixed(3)}** | ${aim}${reached ? ' ✓' : ' ✗'} |`;
  };
  const [started, resident] = [median(ours.startMs) ?? 0, median(ours.idleMb) ?? 0];
  return [
    row('process start to the first Metadata answer, ms', kafka.startMs, ours.startMs, '< 150 ms', started < 150),
    row('resident idle, MB', kafka.idleMb, ours.idleMb, '≤ 70 MB', resident <= 70),
    row('resident after the loads, MB', [kafka.loadedMb], [ours.loadedMb], '≤ 250 MB', ours.loadedMb <= 250),
  ];
}

function storageRow({ name, unit, kafka, ours }: StorageFigure): string {
  const [below, above] = [median(kafka), median(ours)];
  const ratio = below === undefined || above === undefined ? '–' : `**${(above / below).toFixed(3)}**`;
  return `| ${name} | ${unit} | ${spread(kafka)} | ${spread(ours)} | ${ratio} | |`;
}

export function report(run: Run): string {
  const others = run.samples.map(({ othersShare }) => othersShare);
  const noise = `${Math.round((median(others) ?? 0) * 100)} % (median), ${Math.round(Math.max(0, ...others) * 100)} % (most)`;
  const head = '| load | figure | Apache Kafka | Blumfeld | ratio | wanted |\n|---|---|--:|--:|--:|---|';
  return [
    '# Blumfeld beside Apache Kafka',
    '',
    `Written by \`make bench${run.quick ? ' QUICK=1' : ''}\` on ${run.begun.toISOString().slice(0, 16)}Z: ${run.rounds} round(s) of ${run.seconds} s a load,`,
    `brokers in alternation on one machine that the clients share: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 1e9)} GB, Node.js ${process.version}; ${run.minutes.toFixed(1)} minutes.`,
    `Medians (least–most). Ratios are Blumfeld to Apache Kafka; a rate wants to be high, all else low. Others used ${noise} of the machine meanwhile; more than 15 % makes a line doubtful.`,
    '',
    head,
    ...rowsOf(run.samples),
    ...footprintRows(run.footprints),
    ...run.storage.map(storageRow),
    '',
    ...(run.failures.length === 0 ? [] : ['Failed:', '', ...run.failures.map((one) => `- ${one}`), '']),
  ].join('\n');
}
