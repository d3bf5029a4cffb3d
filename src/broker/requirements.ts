/** What this broker refuses to start with although each setting is one that may be: Apache Kafka does the same. */
import type { SettingsView } from '../api/context.ts';
import { brokerRequirementProblem, REQUIREMENT } from '../machine/metadata/broker-requirements.ts';
import type { ConfigLayers } from '../machine/metadata/config-sources.ts';
import { SettingsError } from './settings-error.ts';

/** The settings before anything was set at run time. */
export function startLayers(settings: SettingsView): ConfigLayers {
  const none = new Map<string, string>();
  return { perBroker: none, clusterDefault: none, properties: settings.explicit() };
}

/** Throws SettingsError. */
export function checkRequirements(settings: SettingsView): void {
  const problem = brokerRequirementProblem(startLayers(settings));
  if (problem !== null) throw new SettingsError(problem.replace(REQUIREMENT, ''));
}
