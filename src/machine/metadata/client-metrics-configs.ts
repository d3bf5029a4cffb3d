/** What a client metrics subscription may say (KIP-714). */
import { ConfigSource } from '../../wire/config-resource.ts';
import { CLIENT_METRICS_CONFIGS } from '../../wire/generated/configs.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import { CLIENT_METRICS_DEFINITION, undefinedName, valueError } from './config-definition.ts';
import { parseConfig } from './config-value.ts';
import { listOfText } from './list-value.ts';
import type { EffectiveConfig } from './config-sources.ts';
import type { ApiError } from './decision.ts';

const MATCH_PARAMETERS: ReadonlySet<string> = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]);

/** What is wrong with a subscription; null when nothing is. */
export function clientMetricsConfigsError(name: string, configs: ReadonlyMap<string, string>): ApiError | null {
  if (name === '') return { error: ErrorCode.INVALID_REQUEST, message: "Subscription name can't be empty" };
  const unknown = undefinedName(configs, CLIENT_METRICS_DEFINITION);
  if (unknown !== undefined)
    return { error: ErrorCode.INVALID_REQUEST, message: `Unknown client metrics configuration: ${unknown}` };
  const wrong = valueError(configs, CLIENT_METRICS_DEFINITION);
  if (wrong !== null) return { error: ErrorCode.INVALID_CONFIG, message: wrong };
  const interval = configs.get('interval.ms');
  if (interval !== undefined && (Number(interval) < 100 || Number(interval) > 3_600_000)) {
    const message = `Invalid value ${Number(interval)} for interval.ms, interval must be between 100 and 3600000 (1 hour)`;
    return { error: ErrorCode.INVALID_REQUEST, message };
  }
  const illegal = listOfText(configs.get('match') ?? '').find((pattern) => !isMatchPattern(pattern));
  return illegal === undefined
    ? null
    : { error: ErrorCode.INVALID_CONFIG, message: `Illegal client matching pattern: ${illegal}` };
}

function isMatchPattern(pattern: string): boolean {
  const [parameter, expression, ...more] = pattern.split('=');
  if (parameter === undefined || expression === undefined || expression === '' || more.length > 0) return false;
  if (!MATCH_PARAMETERS.has(parameter.trim())) return false;
  try {
    return RegExp(expression.trim()) instanceof RegExp;
  } catch {
    return false;
  }
}

/** All configs of a subscription, sorted by name. One that does not exist has the built-in values. */
export function effectiveClientMetricsConfigs(own: ReadonlyMap<string, string>): readonly EffectiveConfig[] {
  return CLIENT_METRICS_CONFIGS.map((fact) => {
    const { name } = fact;
    const set = own.get(name);
    const parsed = set === undefined ? undefined : parseConfig(fact, set);
    const value = parsed?.ok === true ? parsed.shown : (fact.default ?? null);
    if (set === undefined) return { fact, name, value, source: ConfigSource.DEFAULT_CONFIG, synonyms: [] };
    const source = ConfigSource.CLIENT_METRICS_CONFIG;
    return { fact, name, value, source, synonyms: [{ name, value, source }] };
  });
}
