/** The versions that Apache Kafka 4.4 answers of an API. */
import { APIS, type ApiName } from '../../../src/wire/generated/apis.ts';
import { BROKER_APIS } from '../../../src/wire/generated/release.ts';

export function servedVersions(api: ApiName): { readonly min: number; readonly max: number } {
  const { key, minVersion, maxVersion } = APIS[api];
  const advertised = BROKER_APIS.find((one) => one.key === key);
  if (advertised === undefined) throw new Error(`${api} is not an API of brokers`);
  return { min: Math.max(advertised.minVersion, minVersion), max: Math.min(advertised.maxVersion, maxVersion) };
}
