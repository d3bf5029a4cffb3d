/** What a broker refuses to become while it runs, in Kafka's words. */
import { expect } from 'chai';
import { ConfigResourceType } from '../../../src/wire/config-resource.ts';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { Cluster } from './cluster.ts';

const { BROKER } = ConfigResourceType;
const SET = 0;
const DELETE = 1;
const { INVALID_REQUEST } = ErrorCode;
const TOO_SMALL = 'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.';
const dynamic = (problem: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`;

function set(cluster: Cluster, broker: string, configs: Readonly<Record<string, string>>): readonly [number, string | null] {
  return cluster.alter(
    BROKER,
    broker,
    Object.entries(configs).map(([name, value]) => [name, SET, value]),
  );
}

describe('reconfiguring a broker', () => {
  for (const broker of ['1', '']) {
    const whose = broker === '' ? 'of all brokers' : 'of one broker';
    it(`at most doubles and halves the threads of the cleaner ${whose}`, () => {
      const cluster = new Cluster({ properties: { 'log.cleaner.threads': '5' } });
      const threads = (count: string) => set(cluster, broker, { 'log.cleaner.threads': count });
      const more = 'Log cleaner threads cannot be increased to more than double the current value';
      const less = 'Log cleaner threads cannot be reduced to less than half the current value';
      expect(threads('11')).to.deep.equal([INVALID_REQUEST, dynamic(`${more} 5`)]);
      expect(threads('1')).to.deep.equal([INVALID_REQUEST, dynamic(`${less} 5`)]);
      expect(threads('0')).to.deep.equal([INVALID_REQUEST, '/ by zero']);
      expect(threads('10')).to.deep.equal([0, null]);
      expect(threads('4')).to.deep.equal([INVALID_REQUEST, dynamic(`${less} 10`)]);
      expect(threads('20')).to.deep.equal([0, null]);
      const back = cluster.alter(BROKER, broker, [['log.cleaner.threads', DELETE, null]]);
      expect(back).to.deep.equal([INVALID_REQUEST, dynamic(`${less} 20`)]);
    });

    it(`leaves each thread of the cleaner a megabyte ${whose}`, () => {
      const cluster = new Cluster({ properties: { 'log.cleaner.threads': '3' } });
      const buffer = (bytes: string) => set(cluster, broker, { 'log.cleaner.dedupe.buffer.size': bytes });
      expect(buffer('3145730')).to.deep.equal([INVALID_REQUEST, TOO_SMALL]);
      expect(buffer('-5')).to.deep.equal([INVALID_REQUEST, TOO_SMALL]);
      expect(buffer('3145731')).to.deep.equal([0, null]);
      expect(set(cluster, broker, { 'log.cleaner.threads': '6' })).to.deep.equal([INVALID_REQUEST, TOO_SMALL]);
      expect(set(cluster, broker, { 'log.cleaner.threads': '6', 'log.cleaner.dedupe.buffer.size': '6291462' })).to.deep.equal([
        0,
        null,
      ]);
    });

    it(`at most doubles and halves other threads ${whose}`, () => {
      const cluster = new Cluster();
      const failed = 'Dynamic thread count update validation failed for num.io.threads';
      expect(set(cluster, broker, { 'num.io.threads': '17' })).to.deep.equal([
        INVALID_REQUEST,
        dynamic(`${failed}=17, value should not be greater than double the current value 8`),
      ]);
      expect(set(cluster, broker, { 'num.io.threads': '3' })).to.deep.equal([
        INVALID_REQUEST,
        dynamic(`${failed}=3, value should be at least half the current value 8`),
      ]);
      expect(set(cluster, broker, { 'num.io.threads': '16', 'num.network.threads': '6' })).to.deep.equal([0, null]);
    });
  }

  it('goes by what is in force: the broker’s own value before the one for all', () => {
    const cluster = new Cluster();
    expect(set(cluster, '1', { 'log.cleaner.threads': '2' })).to.deep.equal([0, null]);
    expect(set(cluster, '', { 'log.cleaner.threads': '900' })).to.deep.equal([0, null]);
    expect(set(cluster, '1', { 'log.cleaner.threads': '4' })).to.deep.equal([0, null]);
  });

  it('asks no cleaner that is not there', () => {
    const cluster = new Cluster({ properties: { 'log.cleaner.enable': 'false' } });
    expect(set(cluster, '1', { 'log.cleaner.threads': '9' })).to.deep.equal([0, null]);
    expect(set(cluster, '1', { 'log.cleaner.threads': '1000' })).to.deep.equal([INVALID_REQUEST, TOO_SMALL]);
  });

  it('cordons directories that there are, or all', () => {
    const cluster = new Cluster({ properties: { 'log.dirs': '/a, /b' } });
    const cordon = (paths: string) => set(cluster, '1', { 'cordoned.log.dirs': paths });
    const missing =
      'requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries :';
    expect(cordon('/a,/x,/y')).to.deep.equal([INVALID_REQUEST, `${missing} /x, /y`]);
    expect(cordon('/b/')).to.deep.equal([INVALID_REQUEST, `${missing} /b/`]);
    expect(cordon('*,/a')).to.deep.equal([
      INVALID_REQUEST,
      'requirement failed: When cordoned.log.dirs is set to *, it must not contain other values',
    ]);
    const values = "Configuration 'cordoned.log.dirs' values must not be";
    expect(cordon('/a, /a')).to.deep.equal([INVALID_REQUEST, `${values} duplicated.`]);
    expect(cordon(',')).to.deep.equal([INVALID_REQUEST, `${values} duplicated.`]);
    expect(cordon('/a,')).to.deep.equal([INVALID_REQUEST, `${values} empty.`]);
    for (const allowed of ['/b', '/a,/b', '*', '']) expect(cordon(allowed)).to.deep.equal([0, null]);
  });
});
