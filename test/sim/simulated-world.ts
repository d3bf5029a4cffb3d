/**
 * One machine with one broker on it, and everything that can happen to it: death of the process between two events or in the midst of one, loss of
 * power, clean stops, cut connections, clocks that jump.
 *
 * A process that has died leaves nothing behind: its timers, its disk and its sockets are dead before anything else runs.
 */
import { Broker } from '../../src/broker/broker.ts';
import type { Facts } from '../../src/broker/logger.ts';
import type { Log } from '../../src/log/log.ts';
import { checkInvariants } from '../../src/log/invariants.ts';
import type { RecordBatch } from '../../src/wire/record-batch.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { ClusterModel } from './cluster-model.ts';
import { FakeFiles, type FakeFilesHooks } from './fake-files.ts';
import { FakeNetwork } from './fake-network.ts';
import type { Link, LinkWorld } from './link.ts';
import type { Fate, PartitionModel, SeenRecord } from './partition-model.ts';
import { Scheduler, SimulatedClock } from './scheduler.ts';
import { SeededRandom } from './seeded-random.ts';
import { Trace } from './trace.ts';
import { demand, Violation } from './violation.ts';

const DATA = '/data';
/** Never shown before it is synced. */
const METADATA_TOPIC = '__cluster_metadata';
/** How long a broker goes on at most after its disk has begun to fail. */
const FAILING_FOR_MS = 2000;
const TOPIC_CONFIGS = 2;
/** Longer than anything that the clients ask for may take. */
const ANSWERED_WITHIN_MS = 60_000;

/** Somebody else who looks at the logs. */
export interface Watcher {
  /** Every step: what costs little. */
  check(log: Log): void;
  /** Every step, when all of them have been looked at. */
  checkTogether(logs: Iterable<Log>): void;
  /** Now and then, and whenever the broker is back: may read every byte. */
  checkThoroughly(log: Log): void;
}

export class SimulatedWorld implements LinkWorld {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly network: FakeNetwork;
  readonly port = 9092;
  readonly links = new Set<Link>();
  readonly model = new ClusterModel();
  readonly watchers: Watcher[] = [];
  /** All that were ever given. */
  readonly producerIds = new Set<number>();
  /** Set by the first thing that went wrong. */
  failure: unknown;
  state: 'down' | 'starting' | 'up' | 'stopping' = 'down';
  /** Starts of the broker so far. */
  starts = 0;
  /** Power cuts so far. */
  losses = 0;
  readonly events = new Map<string, number>();
  private readonly settings: Readonly<Record<string, string>>;
  private readonly disk: SeededRandom;
  private files: FakeFiles;
  private clock: SimulatedClock;
  private broker: Broker | undefined;
  private lastFate: Fate = 'clean stop';
  private upSinceMs = 0;
  /** Death comes with the so manieth operation of the disk. */
  private deathAfter: { operations: number; readonly fate: 'kill' | 'power cut' } | undefined;
  /** Since its disk has been told to fail; what the broker says of it is no fault of its own. */
  private isFailing = false;
  private isChecking = false;
  private readonly highWatermarks = new Map<Log, number>();
  private readonly newestGenerations = new Map<string, number>();

  constructor(seed: number, settings: Readonly<Record<string, string>>, showTrace = false) {
    this.seed = seed;
    this.settings = settings;
    this.random = new SeededRandom(seed);
    this.trace = new Trace(showTrace);
    this.scheduler = new Scheduler(this.random.fork(), this.trace);
    const net = this.random.fork();
    this.network = new FakeNetwork({
      later: (deliver) => this.scheduler.at(net.oneIn(10) ? net.below(40) : net.below(3), 'network', deliver),
      cut: (size) => (net.oneIn(5) ? 1 + net.below(size) : size),
    });
    this.disk = this.random.fork();
    this.clock = new SimulatedClock(this.scheduler, this.disk);
    this.files = new FakeFiles(() => this.scheduler.wallMs(), this.hooksFor(this.clock));
  }

  /** Whether power cuts may take committed offsets. */
  get syncsEverything(): boolean {
    return this.settings['log.flush.interval.messages'] === '1';
  }

  fail(error: unknown): void {
    this.failure ??= error;
  }

  /** Runs an actor; what it raises ends the simulation. */
  follow(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.fail(error));
  }

  private count(event: string): void {
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    this.trace.note(this.scheduler.nowMs, `--- ${event}`);
  }

  private hooksFor(clock: SimulatedClock): FakeFilesHooks {
    const { disk } = this;
    return {
      pause: () => clock.pause(disk.oneIn(8) ? disk.below(60) : disk.below(4), 'disk'),
      beforeOperation: (operation, path) => {
        if (clock !== this.clock || this.isChecking) return;
        this.trace.note(this.scheduler.nowMs, `${operation} ${path}`);
        if (this.deathAfter === undefined || this.deathAfter.operations-- > 0) return;
        this.die(this.deathAfter.fate, `, in the midst of: ${operation} ${path}`);
      },
    };
  }

  start(): void {
    const clock = new SimulatedClock(this.scheduler, this.disk);
    const fate = this.lastFate;
    this.clock = clock;
    this.files = this.files.kill(this.hooksFor(clock));
    this.state = 'starting';
    this.starts++;
    this.highWatermarks.clear();
    this.newestGenerations.clear();
    this.isFailing = false;
    this.count('start');
    const isThis = (): boolean => clock === this.clock && this.state !== 'down';
    const report = (sentence: string, facts: Facts = {}): void => {
      if (isThis() && this.isFailing) say(sentence);
      else if (isThis())
        this.fail(
          new Violation(
            `the broker reports: ${sentence} ${facts['error'] instanceof Error ? facts['error'].stack : JSON.stringify(facts)}`,
          ),
        );
    };
    const say = (sentence: string): void => this.trace.say(this.scheduler.nowMs, `log: ${sentence}`);
    const giveUp = (reason: Error): void => {
      if (isThis() && this.isFailing) this.scheduler.at(0, 'gives up', () => isThis() && this.die('kill'));
      else report('the broker cannot go on', { error: reason });
    };
    Broker.start({
      port: this.port,
      dataDir: DATA,
      settings: this.settings,
      world: { clock, files: this.files, network: this.network, random: this.random.fork() },
      log: { error: report, warn: say, info: say, debug: () => undefined },
      onFatal: giveUp,
    }).then(
      (broker) => {
        if (!isThis()) return;
        this.broker = broker;
        this.state = 'up';
        this.upSinceMs = this.scheduler.busyMs;
        this.count('ready');
        void this.follow(this.lookAtEverything(broker, fate));
      },
      (error: unknown) => {
        if (!isThis()) return;
        if (this.isFailing && error instanceof StorageFailure) giveUp(error);
        else this.fail(error);
      },
    );
  }

  /** The so manieth operation of the disk fails, and with `forever` all after it. Sooner or later that is the end of the process. */
  failDisk(operations: number, code: 'EIO' | 'ENOSPC', forever: boolean): void {
    if (this.state !== 'up') return;
    const { clock } = this;
    this.count('disk fails');
    this.isFailing = true;
    this.files.failAfter(operations, code, forever);
    this.scheduler.at(this.random.between(1, FAILING_FOR_MS), 'given up', () => {
      if (clock === this.clock) this.die('kill');
    });
  }

  /** The process is gone at once, or the machine is. It comes back after a while. */
  die(fate: 'kill' | 'power cut', how = ''): void {
    if (this.state === 'down') return;
    this.deathAfter = undefined;
    this.state = 'down';
    this.broker = undefined;
    this.clock.stop();
    this.network.kill();
    this.count(`${fate}${how}`.replace(/,.*/, ', in the midst of an operation'));
    if (fate === 'kill') {
      this.files = this.files.kill();
      if (this.lastFate === 'clean stop') this.lastFate = 'kill';
    } else {
      this.files = this.files.crash(this.disk);
      this.losses++;
      this.lastFate = 'power cut';
      for (const link of [...this.links]) link.close();
      if (!this.syncsEverything) this.model.commitsMayBeLost();
      // What readers and producers know from now on is what comes after; what is really lost is known when the broker is back.
      for (const topic of this.model.topics.values()) {
        for (const partition of topic.partitions) if (!partition.isSynced) partition.losses++;
      }
    }
    this.scheduler.at(this.random.below(300), 'power is back', () => this.start());
  }

  dieSoon(fate: 'kill' | 'power cut', operations: number): void {
    this.deathAfter = { operations, fate };
  }

  async isUp(): Promise<void> {
    while (this.state !== 'up') await this.scheduler.sleep(20);
  }

  /** Resolves when the broker has stopped; false when it died instead, or was not up. */
  async stop(): Promise<boolean> {
    const { broker, clock } = this;
    if (this.state !== 'up' || broker === undefined) return false;
    this.state = 'stopping';
    this.count('clean stop');
    try {
      await Promise.race([broker.stop(), clock.ended]);
    } catch (error) {
      if (clock.isRunning && !this.isFailing) throw error;
      if (clock.isRunning) this.die('kill');
    }
    if (!clock.isRunning) return false;
    if (!this.isFailing) this.nothingIsLeft();
    // The last bytes are on their way.
    await Promise.race([this.scheduler.sleep(100), clock.ended]);
    if (!clock.isRunning) return false;
    const { connections } = this.network.inUse;
    demand(connections === 0, () => `${connections} connections are left after a stop`);
    this.state = 'down';
    this.lastFate = 'clean stop';
    this.deathAfter = undefined;
    clock.stop();
    return true;
  }

  private nothingIsLeft(): void {
    const { ports } = this.network.inUse;
    demand(this.clock.pending === 0, () => `${this.clock.pending} timers are left after a stop`);
    demand(ports.length === 0, () => `ports ${ports.join()} are left after a stop`);
    const open = [...this.files.openFiles].map(({ path }) => path);
    demand(open.length === 0, () => `files are left open after a stop: ${open.join(' ')}`);
  }

  cutConnections(): void {
    this.count('connections cut');
    for (const link of [...this.links]) if (this.random.oneIn(2)) link.close();
  }

  setClock(byMs: number): void {
    this.count('clock set');
    this.scheduler.skewMs += byMs;
  }

  stall(ms: number): void {
    this.count('machine stalled');
    this.scheduler.stall(ms);
  }

  generationSeen(group: string, generation: number): void {
    this.newestGenerations.set(group, Math.max(generation, this.newestGenerations.get(group) ?? -1));
  }

  isNewestGeneration(group: string, generation: number): boolean {
    return generation >= (this.newestGenerations.get(group) ?? -1);
  }

  *logs(): Generator<Log> {
    for (const directory of this.broker?.services.logDirectories ?? []) yield* directory.logs();
  }

  /** After every step: what costs little. */
  check(): void {
    if (this.state !== 'up') return;
    for (const log of this.logs()) {
      const { highWatermark, writtenOffset, logEndOffset, logStartOffset, lastStableOffset, recoveryPoint } = log;
      const ordered = logStartOffset <= lastStableOffset && lastStableOffset <= highWatermark && highWatermark <= writtenOffset;
      demand(
        ordered && writtenOffset <= logEndOffset && recoveryPoint <= logEndOffset,
        () =>
          `${log.directory}: start ${logStartOffset}, last stable ${lastStableOffset}, high watermark ${highWatermark}, ` +
          `written ${writtenOffset}, end ${logEndOffset}, recovery point ${recoveryPoint}`,
      );
      const before = this.highWatermarks.get(log) ?? 0;
      demand(highWatermark >= before, () => `${log.directory}: the high watermark falls from ${before} to ${highWatermark}`);
      this.highWatermarks.set(log, highWatermark);
      if (log.config.flushMessages === 1 || log.topic === METADATA_TOPIC)
        demand(
          highWatermark <= Math.max(recoveryPoint, before),
          () => `${log.directory}: offsets up to ${highWatermark} are shown, and synced up to ${recoveryPoint}`,
        );
      for (const watcher of this.watchers) watcher.check(log);
    }
    this.checkTogether();
  }

  private checkTogether(): void {
    if (this.isFailing) return;
    this.isChecking = true;
    for (const watcher of this.watchers) watcher.checkTogether(this.logs());
    this.isChecking = false;
  }

  /** Now and then: what reads every byte. */
  checkThoroughly(): void {
    if (this.state !== 'up') return;
    if (!this.isFailing) this.readEveryLog();
    for (const link of this.links) {
      const { waitingFor } = link;
      if (waitingFor === undefined) continue;
      const waitedMs = this.scheduler.busyMs - Math.max(waitingFor.sinceMs, this.upSinceMs);
      demand(waitedMs < ANSWERED_WITHIN_MS, () => `${link.name} waits for an answer to ${waitingFor.api} for ${waitedMs} ms`);
    }
  }

  private readEveryLog(): void {
    this.isChecking = true;
    for (const log of this.logs()) {
      checkInvariants(log);
      for (const watcher of this.watchers) watcher.checkThoroughly(log);
    }
    this.isChecking = false;
  }

  /** The broker is back: what it has against what it owes. */
  private async lookAtEverything(broker: Broker, fate: Fate): Promise<void> {
    const reading: Promise<void>[] = [];
    this.lookAtTopics(broker);
    for (const topic of this.model.topics.values()) {
      for (const [index, model] of topic.partitions.entries()) {
        const log = broker.services.partitions.find(topic.name, index)?.log;
        if (log === undefined) throw new Violation(`${model.name} is not there`);
        model.restarted(fate, log.logEndOffset);
        reading.push(this.follow(this.lookAtLog(log, model)));
      }
    }
    this.lastFate = 'clean stop';
    this.checkThoroughly();
    await Promise.all(reading);
  }

  lookAgain(): Promise<void> {
    if (this.broker === undefined) throw new Error('the broker is down');
    return this.lookAtEverything(this.broker, 'clean stop');
  }

  private async lookAtLog(log: Log, model: PartitionModel): Promise<void> {
    const { logStartOffset, writtenOffset } = log;
    const { clock } = this;
    const records: SeenRecord[] = [];
    try {
      for await (const batch of log.batches()) {
        if (batch.baseOffset >= writtenOffset) break;
        records.push(...seenIn(batch));
      }
    } catch (error) {
      if (clock.isRunning && !this.isFailing) throw error;
    }
    const isWhole = clock.isRunning && !this.isFailing && this.state === 'up' && log.logStartOffset === logStartOffset;
    if (isWhole) model.seeAll(records, logStartOffset, writtenOffset);
  }

  private lookAtTopics(broker: Broker): void {
    const { image } = broker.services;
    for (const topic of this.model.topics.values()) {
      const found = image.topicsByName.get(topic.name);
      if (found === undefined) throw new Violation(`topic ${topic.name} is lost`);
      demand(found.id === topic.id, () => `topic ${topic.name} has the id ${found.id}, and had ${topic.id}`);
      const { size } = found.partitions;
      demand(
        size >= topic.partitionCount && size <= topic.partitionsAtMost,
        () => `topic ${topic.name} has ${size} partitions, and was acknowledged with ${topic.partitionCount}`,
      );
      const configs = image.configsOf(TOPIC_CONFIGS, topic.name);
      for (const [name, value] of topic.configs) {
        const now = configs.get(name) ?? '';
        demand(
          now === value || topic.uncertain.get(name)?.has(now) === true,
          () => `topic ${topic.name} has ${name}=${now}, and ${value} was acknowledged`,
        );
      }
    }
    for (const name of this.model.deletedTopics) {
      demand(!image.topicsByName.has(name), () => `topic ${name} is back after it was deleted`);
    }
  }
}

/** Markers are nobody's records. */
function seenIn(batch: RecordBatch): SeenRecord[] {
  return batch.isControl ? [{ offset: batch.baseOffset }] : recordsOf(batch);
}
