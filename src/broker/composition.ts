/**
 * Puts a broker together out of its rooms and takes it apart again.
 *
 * Order of a start: settings checked, ports bound, files opened, metadata replayed, logs recovered, coordinator, topics, and only then are requests
 * answered. A stop goes the other way; the note of a clean shutdown is the last thing written. What fails on the way takes back what was done before.
 */
import type { Services } from '../api/context.ts';
import { advertisedApis, HANDLERS } from '../api/table.ts';
import { type Coordinators, startCoordinators, stopCoordinators } from '../host/coordinators.ts';
import type { MetadataLog } from '../host/metadata-log.ts';
import type { TransactionStepName } from '../host/transaction-steps.ts';
import { configLayers } from '../machine/metadata/config-sources.ts';
import { reliableFeatures, SUPPORTED_FEATURES } from '../machine/metadata/features.ts';
import { brokerConfigInForce } from '../machine/metadata/broker-values.ts';
import { FetchSessions, sessionSlots } from '../partition/fetch-sessions.ts';
import type { Partitions } from '../partition/partitions.ts';
import { ERROR_NAMES } from '../wire/generated/errors.ts';
import { checkCompaction, startCompaction } from './compaction.ts';
import { limitsConnections } from './connection-limits.ts';
import { checkCordons } from './cordons.ts';
import { dispatchTo } from './dispatch.ts';
import { endpointLookup } from './endpoints.ts';
import type { TopicToCreate } from './environment.ts';
import { type ListenerAddress, type ListenerConfigs, listenerConfigs } from './listener-config.ts';
import { Listeners } from './listeners.ts';
import { producerIdsFrom } from './producer-ids.ts';
import { checkRequirements, startLayers } from './requirements.ts';
import { requireStandalone } from './roles.ts';
import { openStorage, type StorageOptions } from './storage.ts';
import { createTopics, internalTopics } from './topics.ts';
import { takeBack, type Undo } from './undo.ts';

export interface CompositionOptions extends StorageOptions {
  readonly topics: readonly TopicToCreate[];
  /** For tests that stop a broker in the middle of things. */
  readonly onTransactionStep?: ((step: TransactionStepName) => void) | undefined;
}

export interface RunningBroker {
  readonly listeners: readonly ListenerAddress[];
  readonly services: Services;
  stop(): Promise<void>;
}

export async function compose(options: CompositionOptions): Promise<RunningBroker> {
  const { settings, world, log } = options;
  requireStandalone(settings);
  checkCompaction(settings);
  checkCordons(settings);
  checkRequirements(settings);
  const configs = listenerConfigs(settings);
  const undo: Undo[] = [];
  try {
    const listeners = new Listeners({ network: world.network, clock: world.clock, settings, log });
    undo.push(() => listeners.stop());
    await listeners.configure((name) => brokerConfigInForce(startLayers(settings), name));
    const bound: ListenerAddress[] = [];
    for (const address of configs.client) bound.push(await listeners.bind(address));
    const services = await openServices(options, configs, bound, undo);
    followConfigs(services, options, listeners);
    listeners.serve(dispatchTo(HANDLERS, services));
    return { listeners: bound, services, stop: () => takeBack(undo) };
  } catch (error) {
    await takeBack(undo);
    throw error;
  }
}

/** How many connections there may be can be changed while the broker runs. */
function followConfigs(
  { controller, image, nodeId }: Services,
  { settings, log }: CompositionOptions,
  listeners: Listeners,
): void {
  const inForce = (name: string): string => brokerConfigInForce(configLayers(image, nodeId, settings), name);
  const configure = (): void => {
    listeners.configure(inForce).catch((error: unknown) => log.error('limits of connections stay as they were', { error }));
  };
  configure();
  controller.onChange((changes) => {
    if (changes.some((change) => change.kind === 'configsChanged' && change.names.some(limitsConnections))) configure();
  });
}

async function openServices(
  options: CompositionOptions,
  configs: ListenerConfigs,
  bound: readonly ListenerAddress[],
  undo: Undo[],
): Promise<Services> {
  const { world, settings, log } = options;
  const { clock, random } = world;
  const { directories, controller, partitions } = await openStorage(options, configs, bound, undo);
  const { image, nodeId, brokerEpoch } = controller;
  const nextProducerId = producerIdsFrom(() => controller.submit('allocateProducerIds', { brokerId: nodeId, brokerEpoch }));
  const coordinators = coordinatorsOver(options, controller, partitions, nextProducerId);
  undo.push(() => stopCoordinators(coordinators));
  await createTopics(controller, options.topics);
  const inForce = (name: string): string => brokerConfigInForce(configLayers(image, nodeId, settings), name);
  const compaction = startCompaction({ world, settings, directories: directories.all, log, inForce });
  undo.push(() => compaction.stop());
  controller.onChange((changes) => {
    if (changes.some(({ kind }) => kind === 'configsChanged')) compaction.reconfigure();
  });

  const rack = settings.optional('broker.rack');
  const advertised = advertisedApis(HANDLERS);
  return {
    clock,
    random,
    settings,
    clusterId: directories.clusterId,
    nodeId,
    image,
    controller,
    supportedFeatures: SUPPORTED_FEATURES,
    finalizedFeatures: () => reliableFeatures(image, controller.kraftVersion),
    partitions,
    logDirectories: directories.all,
    fetchSessions: new FetchSessions({
      clock,
      random,
      slots: sessionSlots(settings.int('max.incremental.fetch.session.cache.slots')),
    }),
    ...coordinators,
    nextProducerId,
    endpointOf: endpointLookup({ nodeId, rack, image, advertised: configs.advertised }),
    advertisedApis: () => advertised,
  };
}

function coordinatorsOver(
  { world, settings, log, onTransactionStep }: CompositionOptions,
  controller: MetadataLog,
  partitions: Partitions,
  nextProducerId: () => Promise<number>,
): Coordinators {
  const { image, nodeId } = controller;
  const inForce = (name: string): string => brokerConfigInForce(configLayers(image, nodeId, settings), name);
  const coordinators = startCoordinators({
    clock: world.clock,
    random: world.random,
    settings,
    image,
    partitions,
    nextProducerId,
    createInternalTopic: internalTopics(controller, log),
    verifiesTransactions: () => inForce('transaction.partition.verification.enable') === 'true',
    onLoadFailure: ({ name }, error) => log.error(`what ${name} says of its groups or transactions cannot be read`, { error }),
    onFenced: (transactionalId, topic, index, error) =>
      log.error(`${topic}-${index} refuses the end of the transaction of ${transactionalId}: ${ERROR_NAMES.get(error) ?? error}`),
    onStep: onTransactionStep,
  });
  controller.onChange((changes) => {
    const deleted = changes.flatMap((change) => (change.kind === 'topicDeleted' ? [change.topic] : []));
    if (deleted.length > 0) coordinators.groups.onTopicsDeleted(deleted);
  });
  return coordinators;
}
