/**
 * The `blumfeld` command with a fault put in from outside, by the name in BLUMFELD_FAULT: what no layer in front of a broker can do. Nothing of this is in what ships.
 * `BLUMFELD_FAULT=NAME node build/compat/consistency/broken-blumfeld.js start ...`
 */
import { TransactionMarkers } from '../../src/host/transaction-markers.ts';
import { ProducerAppend } from '../../src/log/producer-append.ts';
import { ProducerEntry } from '../../src/log/producer-entry.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { Chance } from '../apache-kafka/differential/stream/chance.ts';

const chance = new Chance(1);

const FAULTS: Readonly<Record<string, () => void>> = {
  /** The coordinator takes the marker of a partition for written. */
  'drops-markers'() {
    const { write } = TransactionMarkers.prototype;
    TransactionMarkers.prototype.write = function (topic, index, end) {
      const isDropped = !topic.startsWith('__') && chance.often(0.02);
      return isDropped ? Promise.resolve(ErrorCode.NONE) : write.call(this, topic, index, end);
    };
  },
  /** What is sent again is appended again. */
  'forgets-sequences'() {
    ProducerEntry.prototype.duplicateOf = () => undefined;
    Object.defineProperty(ProducerAppend.prototype, 'checkSequence', { value: () => undefined });
  },
};

const put = FAULTS[process.env['BLUMFELD_FAULT'] ?? ''];
if (put === undefined) throw new Error(`BLUMFELD_FAULT is to be one of ${Object.keys(FAULTS).join(', ')}`);
put();
await import('../../src/cli/main.ts');
