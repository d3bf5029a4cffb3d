/**
 * The features that clusters agree on level by level (KIP-584), and how far this broker goes with each. Claiming more than is done would let clients
 * and other brokers rely on it; whoever does a feature raises its maximum here, and new directories are formatted with it.
 */
import { FEATURES } from '../../wire/generated/features.ts';
import type { FeatureRange } from './broker-image.ts';
import type { MetadataImage } from './image.ts';
import { ELR_VERSION, METADATA_VERSION } from './record-versions.ts';

export const KRAFT_VERSION = 'kraft.version';

/** Of features that are not done here: level 0 alone. */
const NOT_DONE: FeatureRange = { min: 0, max: 0 };

const TRANSACTION_VERSION = 'transaction.version';

const DONE: ReadonlySet<string> = new Set([METADATA_VERSION, KRAFT_VERSION, TRANSACTION_VERSION, ELR_VERSION]);

/** Every feature that Kafka knows, with the levels that this broker supports. */
export const SUPPORTED_FEATURES: ReadonlyMap<string, FeatureRange> = new Map(
  FEATURES.map(({ name, min, max }) => [name, DONE.has(name) ? { min, max } : NOT_DONE]),
);

/** The levels that a new cluster starts with; those at 0 are not among them. */
export const INITIAL_FEATURES: ReadonlyMap<string, number> = new Map(
  [...SUPPORTED_FEATURES].filter(([name, { max }]) => name !== KRAFT_VERSION && max > 0).map(([name, { max }]) => [name, max]),
);

/**
 * What a client may rely on: a finalized feature that this broker does not support is not told of, although the cluster has it. Sorted by name, with
 * `kraft.version`, which is not a metadata record.
 */
export function reliableFeatures(
  image: MetadataImage,
  kraftVersion: number,
): readonly { readonly name: string; readonly level: number }[] {
  const all = [...image.features, [KRAFT_VERSION, kraftVersion] as const];
  return all
    .filter(([name, level]) => isSupported(name, level))
    .map(([name, level]) => ({ name, level }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isSupported(name: string, level: number): boolean {
  const range = SUPPORTED_FEATURES.get(name);
  return range !== undefined && level >= range.min && level <= range.max && level > 0;
}
