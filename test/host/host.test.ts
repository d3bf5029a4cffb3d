import { expect } from 'chai';
import { Host } from '../../src/host/host.ts';
import type { Hosted } from '../../src/host/host-contract.ts';
import type { Machine, Step } from '../../src/machine/machine.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { SmallBroker } from '../support/small-broker.ts';

/** Adds numbers: a request of n stores n and is answered with the sum; a negative one only reads. Wakes 100 ms after a store, and stores 1000 then. */
class Sums implements Machine<number, number, number, string> {
  sum = 0;
  wakeAtMs = Number.POSITIVE_INFINITY;
  readonly heard: string[];
  constructor(heard: string[]) {
    this.heard = heard;
  }

  #step(records: number[], requestId?: number, after: string[] = [], atomic = true): Step<number, number, string> {
    const sum = records.reduce((all, one) => all + one, this.sum);
    return {
      records,
      atomic,
      after,
      effects: [],
      wakeAtMs: this.wakeAtMs,
      replies: requestId === undefined ? [] : [{ requestId, reply: sum }],
    };
  }

  apply(record: number): void {
    this.sum += record;
  }
  applyTransactionEnd(): void {
    this.heard.push('transaction');
  }
  loaded(): Step<number, number, string> {
    this.heard.push(`loaded ${this.sum}`);
    return this.#step([]);
  }
  step(requestId: number, input: number, now: { monotonicMs: number }): Step<number, number, string> {
    if (input < 0) return this.#step([], requestId);
    this.wakeAtMs = now.monotonicMs + 100;
    return this.#step([input], requestId, [`${input}`]);
  }
  wake(): Step<number, number, string> {
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    return this.#step([500, 500], undefined, ['woken'], false);
  }
  stored(after: string): Step<number, number, string> {
    this.heard.push(`stored ${after}`);
    return this.#step([]);
  }
  notStored(after: string, error: ErrorCode): Step<number, number, string> {
    this.heard.push(`not stored ${after}: ${error}`);
    return this.#step([]);
  }
}

async function hosted() {
  const broker = new SmallBroker();
  await broker.createTopic('sums');
  const heard: string[] = [];
  const open = (): Host<number, number, number, string> =>
    new Host({
      clock: broker.clock,
      partition: broker.partition('sums'),
      machine: () => new Sums(heard),
      readRecord: (_, value) => Number(value),
      writeRecord: (record) => ({ key: Buffer.from('k'), value: Buffer.from(String(record)) }),
      codec: 0,
      writeTimeoutMs: 5000,
      onLoadFailure: (failure) => heard.push(String(failure)),
    });
  return { broker, heard, open };
}

describe('Host', () => {
  it('answers when the records are committed, reads after them', async () => {
    const { broker, heard, open } = await hosted();
    const host = open();
    const answers: Hosted<number>[] = [];
    for (const input of [1, 2, -1]) void host.submit(input).then((answer) => answers.push(answer));
    await Promise.resolve();
    expect(answers).to.deep.equal([]);
    await broker.turn();
    expect(answers).to.deep.equal([1, 3, 3].map((reply) => ({ ok: true, reply })));
    expect(heard).to.deep.equal(['loaded 0', 'stored 1', 'stored 2']);
    expect(await host.submit(-1)).to.deep.equal({ ok: true, reply: 3 });
  });

  it('loads what the log holds, and says so while it does', async () => {
    const { broker, heard, open } = await hosted();
    const first = open();
    void first.submit(5);
    await broker.turn();
    first.close(ErrorCode.NOT_COORDINATOR);
    expect(await first.submit(1)).to.deep.equal({ ok: false, error: ErrorCode.NOT_COORDINATOR });
    const second = open();
    expect(await second.submit(-1)).to.deep.equal({ ok: false, error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    for (let turn = 0; second.state === 'loading' && turn < 20; turn++) await broker.turn();
    expect(heard.at(-1)).to.equal('loaded 5');
    expect(await second.submit(-1)).to.deep.equal({ ok: true, reply: 5 });
  });

  it('wakes the machine when it asked for it', async () => {
    const { broker, heard, open } = await hosted();
    const host = open();
    void host.submit(1);
    await broker.turn();
    await broker.advance(99);
    expect(heard).to.not.include('stored woken');
    await broker.advance(1);
    expect(heard).to.include('stored woken');
    expect(await host.submit(-1)).to.deep.equal({ ok: true, reply: 1001 });
  });

  it('gives the error of a refused append, and tells the machine what clients are told', async () => {
    const { broker, heard, open } = await hosted();
    const host = open();
    const { log } = broker.partition('sums');
    log.updateConfig({ ...log.config, maxMessageBytes: 10 });
    expect(await host.submit(1)).to.deep.equal({ ok: false, error: ErrorCode.MESSAGE_TOO_LARGE });
    expect(heard).to.include(`not stored 1: ${ErrorCode.UNKNOWN_SERVER_ERROR}`);
    expect(await host.submit(-1)).to.deep.equal({ ok: true, reply: 0 });
  });

  it('drops the machine when a commit fails', async () => {
    const { broker, open } = await hosted();
    const host = open();
    const answer = host.submit(1);
    broker.partition('sums').fail(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(await answer).to.deep.equal({ ok: false, error: ErrorCode.KAFKA_STORAGE_ERROR });
    expect(host.state).to.equal('closed');
    expect(host.waiting).to.equal(0);
  });

  it('does not let anyone wait for a commit for ever', async () => {
    const { broker, heard, open } = await hosted();
    const partition = broker.partition('sums');
    partition.lead({ leader: 1, leaderEpoch: 0, partitionEpoch: 1, replicas: [1, 2], isr: [1, 2] });
    const host = open();
    let answer: Hosted<number> | undefined;
    void host.submit(1).then((one) => {
      answer = one;
    });
    await broker.advance(4999);
    expect(answer).to.equal(undefined);
    await broker.advance(1);
    expect(answer).to.deep.equal({ ok: false, error: ErrorCode.REQUEST_TIMED_OUT });
    expect(heard).to.deep.equal(['loaded 0']);
  });
});
