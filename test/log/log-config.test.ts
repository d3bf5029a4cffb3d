import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { TOPIC_CONFIGS } from '../../src/wire/generated/configs.ts';

describe('the default log config', () => {
  it('is what the topic configs say', () => {
    const facts = new Map(TOPIC_CONFIGS.map((fact) => [fact.name, fact.default]));
    const dotted = (name: string): string => name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
    const kafkaName = (name: string): string => ({ segmentIndexBytes: 'segment.index.bytes' })[name] ?? dotted(name);
    for (const [name, value] of Object.entries(DEFAULT_LOG_CONFIG)) {
      if (name === 'compressionLevels') continue;
      const fact = facts.get(kafkaName(name));
      const expected = typeof value === 'number' ? String(Math.min(Number(fact), Number.MAX_SAFE_INTEGER)) : fact;
      expect(String(value), name).to.equal(expected);
    }
    const levels = Object.fromEntries(
      ['gzip', 'lz4', 'zstd'].map((codec) => [codec, Number(facts.get(`compression.${codec}.level`))]),
    );
    expect(DEFAULT_LOG_CONFIG.compressionLevels).to.deep.equal(levels);
  });
});
