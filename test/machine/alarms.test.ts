import { expect } from 'chai';
import fc from 'fast-check';
import { Alarms } from '../../src/machine/alarms.ts';

describe('Alarms', () => {
  it('come up once each, in the order of their times, however they were moved', () => {
    const change = fc.record({ key: fc.integer({ min: 0, max: 9 }), atMs: fc.option(fc.integer({ min: 0, max: 1000 })) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const alarms = new Alarms<number>();
        const model = new Map<number, number>();
        for (const { key, atMs } of changes) {
          if (atMs === null) {
            alarms.cancel(String(key));
            model.delete(key);
          } else {
            alarms.set(String(key), atMs, key);
            model.set(key, atMs);
          }
          expect(alarms.nextMs).to.equal(Math.min(Number.POSITIVE_INFINITY, ...model.values()));
        }
        const times: number[] = [];
        for (let key = alarms.takeDue(1000); key !== undefined; key = alarms.takeDue(1000)) {
          times.push(model.get(key) ?? Number.NaN);
          model.delete(key);
        }
        expect(model.size).to.equal(0);
        expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
      }),
    );
  });

  it('do not come up before their time', () => {
    const alarms = new Alarms<string>();
    alarms.set('a', 10, 'a');
    expect(alarms.takeDue(9)).to.equal(undefined);
    alarms.set('a', 20, 'a');
    expect(alarms.takeDue(10)).to.equal(undefined);
    expect([alarms.nextMs, alarms.takeDue(20), alarms.takeDue(20), alarms.nextMs]).to.deep.equal([
      20,
      'a',
      undefined,
      Number.POSITIVE_INFINITY,
    ]);
  });
});
