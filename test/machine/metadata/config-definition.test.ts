import { expect } from 'chai';
import {
  CLIENT_METRICS_DEFINITION,
  type ConfigDefinition,
  GROUP_DEFINITION,
  TOPIC_DEFINITION,
} from '../../../src/machine/metadata/config-definition.ts';
import { CLIENT_METRICS_CONFIGS, type ConfigFact, GROUP_CONFIGS, TOPIC_CONFIGS } from '../../../src/wire/generated/configs.ts';

const DEFINITIONS: readonly [string, ConfigDefinition, readonly ConfigFact[]][] = [
  ['topics', TOPIC_DEFINITION, TOPIC_CONFIGS],
  ['groups', GROUP_DEFINITION, GROUP_CONFIGS],
  ['client metrics', CLIENT_METRICS_DEFINITION, CLIENT_METRICS_CONFIGS],
];

describe('the order in which configs are defined', () => {
  for (const [what, definition, facts] of DEFINITIONS) {
    it(`has every config of ${what}`, () => {
      expect([...definition.keys()].toSorted()).to.deep.equal(facts.map(({ name }) => name).toSorted());
    });
  }
});
