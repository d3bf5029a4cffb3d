/** A broker that is silent is told from a machine that has no time for it, and a silence is a finding of the fuzzer, with all that was sent before it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownMs, patiently, readingOf, Silence } from '../../compat/fuzz/patience.ts';
import { RequestFuzzer } from '../../compat/fuzz/requests.ts';
import { Victim } from '../hostile/victim.ts';
import { PlainClient } from '../support/plain-client.ts';

const TICK_MS = 100;
const LONG_MS = 600_000;

describe('patience with a broker', () => {
  const at = (atMs: number, queuedMs: number) => ({ atMs, queuedMs });

  it('counts the time that a broker has to itself, and not what it waits for a processor', () => {
    expect(ownMs(at(0, 0), at(100, 0), TICK_MS)).to.equal(100);
    expect(ownMs(at(0, 5000), at(100, 5090), TICK_MS)).to.equal(10);
    expect(ownMs(at(0, 0), at(100, 130), TICK_MS)).to.equal(0);
  });

  it('does not count what passed while nobody looked', () => {
    expect(ownMs(at(0, 0), at(30_000, 0), TICK_MS)).to.equal(200);
    expect(ownMs(at(0, 0), at(30_000, 25_000), TICK_MS)).to.equal(0);
  });

  it('reads what the machine says of a process, and nothing of one that is gone', () => {
    expect(readingOf(process.pid).queuedMs).to.be.at.least(0);
    expect(readingOf(0x7fff_fff0).queuedMs).to.equal(0);
  });
});

describe('a broker that stands still', () => {
  let victim: Victim;

  beforeEach(async () => {
    victim = await Victim.start({ topics: ['fuzz-a', 'fuzz-b', 'fuzz-c'], patienceMs: LONG_MS });
  });

  afterEach(async () => {
    await victim.stop('SIGKILL');
  });

  it('is waited for as long as it answers, and then not for ever', async () => {
    expect(await patiently(victim, victim.serves(), 300)).to.equal(undefined);
    const silent = new PlainClient(victim.address, LONG_MS);
    const error = await patiently(victim, silent.next(), 300).catch((reason: unknown) => reason);
    silent.close();
    expect(error).to.be.instanceOf(Silence);
    expect(String(error)).to.match(/no answer in \d+ ms .* [1-9]\d* heartbeats were answered/);
  });

  it('is a finding of the fuzzer, and what was sent before is kept', async () => {
    const run = new RequestFuzzer(victim, 7, 300);
    const fuzzing = run.until(performance.now() + LONG_MS);
    while (run.requests < 20) await new Promise((resolve) => setImmediate(resolve));
    process.kill(victim.pid, 'SIGSTOP');
    await fuzzing;
    expect(run.isSilent).to.equal(true);
    expect(run.findings).to.have.lengthOf(1);
    expect(run.findings[0]).to.match(
      /^Silence: no answer in \d+ ms .*; \d+ heartbeats were answered\nseed 7, after \d+ requests$/,
    );
    const folder = mkdtempSync(join(tmpdir(), 'blumfeld-fuzz-'));
    run.keepFrames(folder);
    const kept = readFileSync(join(folder, 'requests-7.txt'), 'utf8').split('\n').slice(0, -1);
    rmSync(folder, { recursive: true });
    expect(kept).to.have.lengthOf(Math.min(run.requests, 50));
    // A frame may have been damaged until nothing is left of it.
    for (const frame of kept) expect(frame).to.match(/^(?:[0-9a-f]{2})*$/);
    expect(kept.some((frame) => frame.length > 20)).to.equal(true);
  });
});
