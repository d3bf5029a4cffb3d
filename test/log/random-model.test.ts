/**
 * A log against a list: random appends, rolls, syncs, deletions, clean stops, deaths of the process and power cuts, from one seed each.
 *
 * What has to hold: after a power cut nothing synced is lost, after a death nothing written, after a clean stop nothing at all; what is there is
 * what was appended, from the beginning on, but for the unsynced end of a segment that a power cut took and Apache Kafka would not miss either;
 * invariants hold after every step; producers, epochs and aborted transactions are those of the list.
 * `SEED=n` runs one seed.
 */
import { dirname } from 'node:path';
import { expect } from 'chai';
import { checkInvariants } from '../../src/log/invariants.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { Log } from '../../src/log/log.ts';
import { ProducerState } from '../../src/log/producer-state.ts';
import { TailMemory } from '../../src/log/tail-memory.ts';
import { batchesOf, RecordBatch } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

/** A power cut between a roll and the sync of the index of aborted transactions. */
const ONCE_WRONG = [24_849];
const COUNT = process.env['THOROUGH'] === undefined ? 250 : 10_000;
const SEEDS =
  process.env['SEED'] === undefined
    ? [...Array.from({ length: COUNT }, (_, i) => i + 1), ...ONCE_WRONG]
    : [Number(process.env['SEED'])];
const STEPS = 60;
const DIRECTORY = '/data/topic-0';

interface Producer {
  readonly id: number;
  epoch: number;
  sequence: number;
  readonly transactional: boolean;
  open: boolean;
}

class Run {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  readonly config: LogConfig;
  readonly producers: Producer[];
  readonly deletes: boolean;
  files = new FakeFiles(() => this.clock.now());
  /** What the log should hold, by first offset. */
  model: RecordBatch[] = [];
  log!: Log;
  leaderEpoch = 0;
  /** How many batches were lost in front of others. */
  holes = 0;
  /** As the checkpoint files of the directory would have it. */
  checkpoint = { recoveryPoint: 0, logStartOffset: 0 };

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.random = random;
    this.deletes = random.below(3) === 0;
    this.config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 2000 + random.below(20_000),
      indexIntervalBytes: [1, 200, 4096][random.below(3)] as number,
      segmentIndexBytes: [64, 10_485_760][random.below(2)] as number,
      segmentMs: [200, DEFAULT_LOG_CONFIG.segmentMs][random.below(2)] as number,
      flushMessages: [1, 20, Number.MAX_SAFE_INTEGER][random.below(3)] as number,
      retentionBytes: this.deletes ? 8000 : -1,
      retentionMs: -1,
    };
    this.producers = [1, 2, 3, 4].map((id) => ({ id, epoch: 0, sequence: 0, transactional: id > 2, open: false }));
  }

  async open(cleanShutdown: boolean): Promise<void> {
    const { files, clock, random, config } = this;
    this.log = await Log.open({
      files,
      clock,
      random,
      directory: DIRECTORY,
      topic: 'topic',
      partition: 0,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      config,
      verifiesTransactions: false,
      cleanShutdown,
      tailMemory: new TailMemory([0, 5000, 1_000_000][random.below(3)]),
      ...(cleanShutdown
        ? { recoveryPoint: Number.MAX_SAFE_INTEGER, logStartOffset: this.checkpoint.logStartOffset }
        : this.checkpoint),
    });
    this.log.setHighWatermark(this.log.logEndOffset);
    // As the data directory sees to it.
    for (let at = DIRECTORY; at !== '/'; at = dirname(at)) await files.syncDirectory(dirname(at));
  }

  append(): void {
    const { random, clock, log } = this;
    if (random.below(15) === 0) this.leaderEpoch++;
    const count = 1 + random.below(4);
    const records = Array.from({ length: count }, () => ({
      key: null,
      value: random.bytes(random.below(random.below(10) === 0 ? 400 : 100)),
      timestamp: clock.now() - random.below(1000),
    }));
    const producer = random.below(3) === 0 ? undefined : this.producers[random.below(4)];
    const draft = { baseOffset: 0, partitionLeaderEpoch: -1, records };
    let bytes: Buffer;
    if (producer === undefined) {
      bytes = buildBatch(draft);
    } else if (producer.open && random.below(3) === 0) {
      this.end(producer);
      return;
    } else {
      if (!producer.transactional && random.below(20) === 0) {
        producer.epoch++;
        producer.sequence = 0;
      }
      bytes = buildBatch({
        ...draft,
        producerId: producer.id,
        producerEpoch: producer.epoch,
        baseSequence: producer.sequence,
        transactional: producer.transactional,
      });
      producer.sequence += count;
      producer.open = producer.transactional;
    }
    this.put(bytes, 'client');
    if (producer === undefined || random.below(5) !== 0) return;
    // What was sent was patched with its offset; a retry has 0 again.
    const retry = Buffer.from(bytes);
    new RecordBatch(retry).setBaseOffset(0);
    const end = log.logEndOffset;
    const result = log.append(retry, { leaderEpoch: this.leaderEpoch, origin: 'client' });
    expect(result).to.deep.include({ ok: true, duplicate: true, firstOffset: end - count, lastOffset: end - 1 });
  }

  private end(producer: Producer): void {
    const aborted = this.random.below(2) === 0;
    const key = Buffer.from([0, 0, 0, aborted ? 0 : 1]);
    const bytes = buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: [{ key, value: Buffer.alloc(6), timestamp: this.clock.now() }],
      producerId: producer.id,
      producerEpoch: producer.epoch,
      transactional: true,
      control: true,
    });
    producer.open = false;
    this.put(bytes, 'coordinator');
  }

  private put(bytes: Buffer, origin: 'client' | 'coordinator'): void {
    const { log } = this;
    const end = log.logEndOffset;
    const result = log.append(bytes, { leaderEpoch: this.leaderEpoch, origin });
    if (!result.ok) throw new Error(`append refused: ${result.error} ${result.message}`);
    expect(result.firstOffset).to.equal(end);
    this.model.push(new RecordBatch(Buffer.from(bytes)));
  }

  /** Reads somewhere and compares with the list. */
  async read(): Promise<void> {
    const { log, random } = this;
    const offset = log.logStartOffset + random.below(log.logEndOffset - log.logStartOffset + 1);
    const maxBytes = random.below(5000);
    const minOneBatch = random.below(2) === 0;
    const upTo = (['logEnd', 'highWatermark', 'lastStable'] as const)[random.below(3)] ?? 'logEnd';
    const bound = Math.min(
      upTo === 'logEnd' ? log.logEndOffset : upTo === 'highWatermark' ? log.highWatermark : log.lastStableOffset,
      log.writtenOffset,
    );
    const got = await log.read(offset, { maxBytes, minOneBatch, upTo });
    const bytes = Buffer.isBuffer(got.records) ? got.records : Buffer.concat(got.records);
    expect(bytes.length).to.equal(got.sizeInBytes);
    const batches = batchesOf(bytes);
    const from = this.model.findIndex((batch) => batch.lastOffset >= offset);
    const wanted = from < 0 ? [] : this.model.slice(from, from + batches.length);
    expect(batches.map((batch) => batch.bytes.toString('hex'))).to.deep.equal(wanted.map((batch) => batch.bytes.toString('hex')));
    const last = batches[batches.length - 1];
    if (last !== undefined) expect(last.lastOffset).to.be.below(bound);
    expect(got.nextOffset).to.equal(last === undefined ? offset : last.lastOffset + 1);
    const first = this.model[from];
    if (batches.length > 1 || !minOneBatch) expect(bytes.length).to.be.at.most(maxBytes);
    if (first !== undefined && first.lastOffset < bound && (minOneBatch || first.sizeInBytes <= maxBytes)) {
      expect(batches, `read at ${offset} below ${bound}`).not.to.deep.equal([]);
    }
    if (upTo === 'lastStable' && last !== undefined)
      this.compareAborted(offset, last.lastOffset + 1, got.abortedTransactions ?? []);
  }

  private compareAborted(from: number, to: number, got: readonly { producerId: number; firstOffset: number }[]): void {
    const open = new Map<number, number>();
    const wanted = [];
    for (const batch of this.model) {
      if (!batch.isTransactional) continue;
      const firstOffset = open.get(batch.producerId);
      if (!batch.isControl) {
        if (firstOffset === undefined) open.set(batch.producerId, batch.baseOffset);
        continue;
      }
      open.delete(batch.producerId);
      const aborted = batch.buffer[batch.position + 61 + 8] === 0;
      if (aborted && firstOffset !== undefined && batch.lastOffset >= from && firstOffset < to)
        wanted.push({ producerId: batch.producerId, firstOffset });
    }
    const visible = wanted.filter(({ firstOffset }) => firstOffset >= this.log.logStartOffset || !this.deletes);
    expect(got).to.deep.include.members(visible);
    if (!this.deletes) expect(got).to.have.deep.members(visible);
  }

  async compareWhole(): Promise<void> {
    const { log } = this;
    const got: string[] = [];
    const start = log.segmentList()[0]?.baseOffset ?? 0;
    for await (const batch of log.batches(start)) got.push(batch.bytes.toString('hex'));
    const wanted = this.model.filter((batch) => batch.baseOffset >= start && batch.lastOffset < log.writtenOffset);
    expect(got).to.deep.equal(wanted.map((batch) => batch.bytes.toString('hex')));
  }

  /** The list goes back to what the log has, and the producers to what the list says. */
  private async cutModel(atLeast: number, why: string): Promise<void> {
    const { log } = this;
    expect(log.logEndOffset, `end after ${why}`).to.be.at.least(atLeast);
    this.model = this.model.filter((batch) => batch.lastOffset < log.logEndOffset);
    if (why === 'a power cut') await this.takeHoles(atLeast);
    const last = this.model[this.model.length - 1];
    const end = last === undefined ? 0 : last.lastOffset + 1;
    if (!this.deletes)
      expect(log.logEndOffset).to.equal(this.holes > 0 ? Math.max(end, log.segmentList().at(-1)?.baseOffset ?? 0) : end);
    await this.compareWhole();
    if (!this.deletes) this.compareProducers();
    if (!this.deletes) this.compareEpochs();
    for (const producer of this.producers) {
      const entry = log.producerState.get(producer.id);
      producer.epoch = Math.max(entry?.producerEpoch ?? 0, 0);
      producer.sequence = (entry?.lastSequence ?? -1) + 1;
      producer.open = (entry?.currentTxnFirstOffset ?? -1) >= 0;
    }
  }

  /** Takes out of the list what the ends of unsynced segments have lost. */
  private async takeHoles(synced: number): Promise<void> {
    const there = new Set<number>();
    for await (const batch of this.log.batches(this.log.segmentList()[0]?.baseOffset ?? 0)) there.add(batch.baseOffset);
    const bases = this.log.segmentList().map(({ baseOffset }) => baseOffset);
    const start = bases[0] ?? 0;
    const isLost = ({ baseOffset }: RecordBatch): boolean => baseOffset >= Math.max(synced, start) && !there.has(baseOffset);
    for (const [index, batch] of this.model.entries()) {
      const next = this.model[index + 1];
      if (!isLost(batch)) continue;
      this.holes++;
      if (next === undefined || !isLost(next))
        expect(bases, 'what comes behind a hole begins a segment').to.include(batch.lastOffset + 1);
    }
    this.model = this.model.filter((batch) => !isLost(batch));
  }

  private compareProducers(): void {
    const files = new FakeFiles();
    files.makeDirectory('/replayed');
    const replayed = new ProducerState({
      files,
      directory: '/replayed',
      where: 'topic-0',
      expirationMs: Number.MAX_SAFE_INTEGER,
    });
    for (const batch of this.model) replayed.replay(batch);
    const shown = (state: ProducerState): unknown[] =>
      [...state.entries()]
        .map((e) => [
          e.producerId,
          e.producerEpoch,
          e.lastSequence,
          e.lastBatch?.lastOffset,
          e.currentTxnFirstOffset,
          e.lastTimestamp,
        ])
        .toSorted((a, b) => Number(a[0]) - Number(b[0]));
    expect(shown(this.log.producerState)).to.deep.equal(shown(replayed));
    expect([...this.log.producerState.ongoingTransactions()]).to.deep.equal([...replayed.ongoingTransactions()]);
  }

  private compareEpochs(): void {
    if (this.holes > 0) {
      // Epochs that began in a hole are known from their file, or from where they go on.
      for (const { baseOffset, partitionLeaderEpoch } of this.model) {
        const of = this.log.leaderEpochs.entries().findLast(({ startOffset }) => startOffset <= baseOffset);
        expect(of?.epoch, `epoch at ${baseOffset}`).to.equal(partitionLeaderEpoch);
      }
      return;
    }
    const wanted: { epoch: number; startOffset: number }[] = [];
    for (const batch of this.model) {
      const epoch = batch.partitionLeaderEpoch;
      if (wanted[wanted.length - 1]?.epoch !== epoch) wanted.push({ epoch, startOffset: batch.baseOffset });
    }
    expect(this.log.leaderEpochs.entries()).to.deep.equal(wanted);
  }

  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async step(): Promise<void> {
    const { log, random } = this;
    const dice = random.below(100);
    if (dice < 50) {
      this.append();
    } else if (dice < 65) {
      await this.turn();
      if (this.config.flushMessages > 1_000_000) expect(log.writtenOffset).to.equal(log.logEndOffset);
      log.setHighWatermark(log.writtenOffset);
    } else if (dice < 75) {
      await this.read();
    } else if (dice < 80) {
      await log.flush();
      expect(log.recoveryPoint).to.equal(log.logEndOffset);
    } else if (dice < 82) {
      log.roll();
    } else if (dice < 84) {
      this.checkpoint = { recoveryPoint: log.recoveryPoint, logStartOffset: this.checkpoint.logStartOffset };
    } else if (dice < 86) {
      await this.clock.advance(random.below(500));
    } else if (dice < 90) {
      if (this.deletes) this.deleteSome();
    } else if (dice < 94) {
      await this.stop();
    } else if (dice < 97) {
      await this.die();
    } else {
      await this.cutPower();
    }
  }

  private deleteSome(): void {
    const { log, random } = this;
    if (random.below(2) === 0)
      log.advanceLogStartOffset(log.logStartOffset + random.below(log.highWatermark - log.logStartOffset + 1));
    log.deleteOldSegments();
  }

  private async stop(): Promise<void> {
    const end = this.log.logEndOffset;
    await this.log.close({ clean: true });
    this.checkpoint = { recoveryPoint: this.log.recoveryPoint, logStartOffset: this.log.logStartOffset };
    await this.open(true);
    expect(this.log.logEndOffset).to.equal(end);
    await this.cutModel(end, 'a clean stop');
  }

  private async die(): Promise<void> {
    const written = this.log.writtenOffset;
    this.files = this.files.kill();
    await this.open(false);
    await this.cutModel(written, 'the death of the process');
  }

  private async cutPower(): Promise<void> {
    const synced = this.log.recoveryPoint;
    this.files = this.files.crash(this.random);
    await this.open(false);
    await this.cutModel(synced, 'a power cut');
  }
}

describe('Log against a model', () => {
  it(`keeps its promises for ${SEEDS.length} seeds`, async function () {
    this.timeout(process.env['THOROUGH'] === undefined ? 60_000 : 1_800_000);
    let holes = 0;
    for (const seed of SEEDS) {
      const run = new Run(seed);
      let step = 0;
      try {
        await run.open(false);
        for (; step < STEPS; step++) {
          await run.step();
          checkInvariants(run.log);
        }
        await run.log.close({ clean: true });
      } catch (error) {
        throw new Error(`SEED=${seed}, step ${step}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
      }
      holes += run.holes;
    }
    if (SEEDS.length > 1) expect(holes, 'batches lost in front of others').to.be.greaterThan(0);
  });
});
