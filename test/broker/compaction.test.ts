import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';

describe('compaction of a broker', () => {
  for (const [settings, message] of [
    [
      { 'log.cleaner.threads': 0 },
      'log.cleaner.threads is 0; it must be at least 1, and log.cleaner.enable=false is what stops compaction',
    ],
    [
      { 'log.cleaner.threads': 2, 'log.cleaner.dedupe.buffer.size': 2_097_153 },
      'log.cleaner.dedupe.buffer.size is 2097153, for 2 threads; it must be at least 1MB per cleaner thread (log.cleaner.threads)',
    ],
  ] as const) {
    it(`is not started with ${JSON.stringify(settings)}, as Apache Kafka is not`, async () => {
      const error: unknown = await Broker.start({ port: 0, settings }).then(
        (broker) => broker.stop(),
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(SettingsError).and.to.have.property('message', message);
    });
  }
});
