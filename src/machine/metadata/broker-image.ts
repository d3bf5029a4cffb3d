/** A broker's or controller's registration as the metadata log has it. */
import type { RegisterBrokerRecord } from '../../wire/generated/records/register-broker-record.ts';
import type { RegisterControllerRecord } from '../../wire/generated/records/register-controller-record.ts';

export interface ListenerEndpoint {
  /** The listener's name, such as PLAINTEXT. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Kafka's number of the security protocol: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number;
}

export interface FeatureRange {
  readonly min: number;
  readonly max: number;
}

export interface BrokerImage {
  readonly id: number;
  readonly epoch: number;
  /** Tells two processes with the same id apart. */
  readonly incarnationId: string;
  readonly endpoints: readonly ListenerEndpoint[];
  readonly features: ReadonlyMap<string, FeatureRange>;
  readonly rack: string | null;
  /** A fenced broker may not lead, and clients are not told of it. */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly logDirs: readonly string[];
  /** Log directories that get no new partitions (KIP-1066); null: as before, where that was never said. */
  readonly cordonedLogDirs: readonly string[] | null;
}

export interface ControllerImage {
  readonly id: number;
  readonly incarnationId: string;
  readonly endpoints: readonly ListenerEndpoint[];
  readonly features: ReadonlyMap<string, FeatureRange>;
}

export function brokerOfRecord(record: RegisterBrokerRecord): BrokerImage {
  return {
    id: record.brokerId,
    epoch: Number(record.brokerEpoch),
    incarnationId: record.incarnationId,
    endpoints: endpointsOf(record.endPoints),
    features: featuresOf(record.features),
    rack: record.rack,
    fenced: record.fenced,
    inControlledShutdown: record.inControlledShutdown,
    logDirs: record.logDirs,
    cordonedLogDirs: record.cordonedLogDirs,
  };
}

export function controllerOfRecord(record: RegisterControllerRecord): ControllerImage {
  return {
    id: record.controllerId,
    incarnationId: record.incarnationId,
    endpoints: endpointsOf(record.endPoints),
    features: featuresOf(record.features),
  };
}

/** Whether partitions may be placed on it and led by it. */
export function isActive(broker: BrokerImage | undefined): boolean {
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

function endpointsOf(endpoints: RegisterBrokerRecord['endPoints']): ListenerEndpoint[] {
  return endpoints.map(({ name, host, port, securityProtocol }) => ({ name, host, port, securityProtocol }));
}

function featuresOf(features: RegisterBrokerRecord['features']): ReadonlyMap<string, FeatureRange> {
  return new Map(features.map((f) => [f.name, { min: f.minSupportedVersion, max: f.maxSupportedVersion }]));
}
