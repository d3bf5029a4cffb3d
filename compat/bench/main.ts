/**
 * `node build/compat/bench/main.js BROKER-JARS TOOL-JARS FRANZ-GO LIBRDKAFKA`: the loads against both brokers in alternation, in rounds; the figures on
 * the console as they come, ratios in compat/bench/RESULTS.md. QUICK=1: one short round. ONLY=text: loads whose name has it; nothing is written then.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../apache-kafka/directory-owner.ts';
import { type BenchedBroker, machineCpuSeconds, ownCpuSeconds, remove, startApacheKafka, startBlumfeld } from './brokers.ts';
import { type Figures, franzGo, type Installed, LoadFailed } from './clients.ts';
import { FILLED, type FilledSize, type Load, LOADS } from './loads.ts';
import { withMemoryAtHand } from './memory.ts';
import { number, report } from './report.ts';
import { type StorageBench, type StorageFigure, STORAGE_LOADS } from './storage.ts';
import type { Footprint, Sample } from './samples.ts';

const RESULTS = 'compat/bench/RESULTS.md';
const SETTLE_MS = 2000;
/** What ONLY has to be part of for starts on empty directories. */
const FIRST_ANSWER = 'first answer';

interface Bench {
  readonly installed: Installed;
  readonly brokers: BenchedBroker[];
  readonly seconds: number;
  readonly scale: number;
  readonly samples: Sample[];
  readonly failures: string[];
}

const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measured(bench: Bench, load: Load, broker: BenchedBroker, round: number): Promise<void> {
  const { installed, seconds } = bench;
  const { address } = broker;
  const topic = load.partitions === 0 ? `filled-${load.bytes}` : `load-${LOADS.indexOf(load)}-${round}`;
  if (load.partitions > 0) await franzGo(installed, address, 'create', { topic, partitions: load.partitions });
  const writesMuch = (load.kind === 'produce' || load.kind === 'transactions') && load.bytes >= 1024;
  const run = (): Promise<Sample> => sampled(bench, load, broker, topic);
  const sample = writesMuch ? await withMemoryAtHand(installed, seconds + 1, run) : await run();
  if (round > 0) bench.samples.push(sample);
  const { figures, brokerCpuSeconds, othersShare } = sample;
  const told = Object.entries(figures).map(([name, value]) => `${name} ${number(Number(value))}`);
  const cpu = `${number((brokerCpuSeconds / figures.records) * 1e6)} µs a record`;
  say(`${load.name}: ${broker.name}: ${told.join(', ')}, ${cpu}, others ${Math.round(othersShare * 100)} %`);
  if (load.partitions > 0) await franzGo(installed, address, 'delete', { topic });
}

async function sampled(bench: Bench, load: Load, broker: BenchedBroker, topic: string): Promise<Sample> {
  const { installed, seconds, scale } = bench;
  const before = { broker: broker.cpuSeconds(), machine: machineCpuSeconds(), own: accounted(bench), at: performance.now() };
  const figures: Figures = await load.run({ installed, address: broker.address, topic, seconds, scale });
  const elapsed = ((performance.now() - before.at) / 1000) * availableParallelism();
  const foreign = machineCpuSeconds() - before.machine - (accounted(bench) - before.own);
  const brokerCpuSeconds = broker.cpuSeconds() - before.broker;
  return { load, broker: broker.name, figures, brokerCpuSeconds, othersShare: Math.max(0, foreign / elapsed) };
}

const accounted = ({ brokers }: Bench): number => brokers.reduce((sum, broker) => sum + broker.cpuSeconds(), ownCpuSeconds());

async function oneRound(bench: Bench, loads: readonly Load[], round: number): Promise<void> {
  for (const [index, load] of loads.entries()) {
    const inTurn = (index + round) % 2 === 0 ? bench.brokers : bench.brokers.toReversed();
    for (const broker of inTurn) {
      try {
        await measured(bench, load, broker, round);
      } catch (error) {
        if (!(error instanceof LoadFailed)) throw error;
        bench.failures.push(`${load.name}, ${broker.name}: ${error.message}`);
        say(`${load.name}: ${broker.name} FAILED: ${error.message}`);
      }
    }
  }
}

async function fill({ installed, brokers }: Bench, loads: readonly Load[]): Promise<void> {
  for (const size of [1024, 100] as FilledSize[]) {
    if (!loads.some((load) => load.partitions === 0 && load.bytes === size)) continue;
    const topic = `filled-${size}`;
    for (const { address } of brokers) {
      await franzGo(installed, address, 'create', { topic, partitions: 1 });
      await franzGo(installed, address, 'fill', { topic, size, records: FILLED[size] });
    }
  }
}

async function onDisk(bench: StorageBench, only: string, failures: string[]): Promise<StorageFigure[]> {
  const figures: StorageFigure[] = [];
  for (const { name, run } of STORAGE_LOADS.filter((load) => load.name.includes(only))) {
    try {
      figures.push(...(await run(bench)));
    } catch (error) {
      failures.push(`${name}: ${String(error)}`);
      say(`${name} FAILED: ${String(error)}`);
    }
  }
  return figures;
}

/** Starts, looks and stops a few times, each time with an empty directory. */
async function footprint(name: Owner, times: number, start: (folder: string) => Promise<BenchedBroker>): Promise<Footprint> {
  const [startMs, idleMb]: [number[], number[]] = [[], []];
  for (let i = 0; i < times; i++) {
    const folder = mkdtempSync(join(tmpdir(), 'blumfeld-bench-'));
    const broker = await start(folder);
    await pause(SETTLE_MS);
    startMs.push(broker.startMs);
    idleMb.push(broker.residentMb());
    await broker.stop();
    remove(folder);
  }
  say(`${name}: first answer after ${startMs.map(number).join(', ')} ms; idle ${idleMb.map(number).join(', ')} MB`);
  return { broker: name, startMs, idleMb, loadedMb: 0 };
}

async function main(): Promise<number> {
  const [brokerJars = '', tools = '', franzGoPath = '', librdkafka = ''] = process.argv.slice(2);
  const quick = process.env['QUICK'] === '1';
  const only = process.env['ONLY'] ?? '';
  const loads = LOADS.filter(({ name }) => name.includes(only));
  const rounds = quick ? 1 : 3;
  const seconds = quick ? 2 : 4;
  const begun = new Date();
  const startKafka = (folder: string): Promise<BenchedBroker> => startApacheKafka(brokerJars, folder);
  const footprints: Footprint[] = [];
  if (FIRST_ANSWER.includes(only)) {
    footprints.push(await footprint('Apache Kafka', quick ? 1 : 3, startKafka));
    footprints.push(await footprint('Blumfeld', quick ? 5 : 10, startBlumfeld));
  }
  const installed = { tools, franzGo: franzGoPath, librdkafka };
  const bench: Bench = { installed, brokers: [], seconds, scale: quick ? 0.3 : 1, samples: [], failures: [] };
  const folder = mkdtempSync(join(tmpdir(), 'blumfeld-bench-'));
  try {
    if (loads.length > 0) {
      bench.brokers.push(await startKafka(join(folder, 'kafka')), await startBlumfeld(join(folder, 'blumfeld')));
      await fill(bench, loads);
      for (let round = 1; round <= rounds; round++) await oneRound(bench, loads, round);
      await pause(SETTLE_MS);
    }
    for (const one of footprints) one.loadedMb = bench.brokers.find(({ name }) => name === one.broker)?.residentMb() ?? 0;
  } finally {
    for (const broker of bench.brokers) await broker.stop();
    remove(folder);
  }
  const storage = await onDisk({ installed, jars: brokerJars, quick, say }, only, bench.failures);
  const minutes = (Date.now() - begun.getTime()) / 60_000;
  const { samples, failures } = bench;
  const text = report({ quick, rounds, seconds, begun, minutes, samples, footprints, storage, failures });
  console.log(text);
  if (only === '') writeFileSync(RESULTS, text);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
