/**
 * AlterClientQuotas as the controller decides it (Kafka's ClientQuotaControlManager, KIP-546): limits of users, clients and addresses.
 *
 * They are recorded and told, and nobody is held to them here. A host name is taken for one that can be resolved.
 */
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponseEntryDataDraft,
} from '../../wire/generated/alter-client-quotas.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { Decision, Surroundings } from './decision.ts';

type Alteration = AlterClientQuotasRequest['entries'][number];
type Entity = Alteration['entity'];
type Kind = 'LONG' | 'INT' | 'DOUBLE';

const OF_CLIENTS: ReadonlyMap<string, Kind> = new Map([
  ['producer_byte_rate', 'LONG'],
  ['consumer_byte_rate', 'LONG'],
  ['request_percentage', 'DOUBLE'],
  ['controller_mutation_rate', 'DOUBLE'],
]);
const OF_ADDRESSES: ReadonlyMap<string, Kind> = new Map([['connection_creation_rate', 'INT']]);

const LARGEST: Readonly<Record<Kind, number>> = { LONG: 2 ** 63, INT: 2 ** 31 - 1, DOUBLE: Number.POSITIVE_INFINITY };
const ARTICLES: Readonly<Record<Kind, string>> = { LONG: 'a LONG', INT: 'an INT', DOUBLE: 'a DOUBLE' };

/** In the order in which Java's hash table gives them. */
const TYPES = ['client-id', 'ip', 'user'];

/** Each entity once, by itself; one that comes twice with a mistake in it is told of the second. */
export function alterClientQuotas(
  { entries, validateOnly }: AlterClientQuotasRequest,
  around: Surroundings,
): Decision<readonly AlterClientQuotasResponseEntryDataDraft[]> {
  const records: MetadataRecordDraft[] = [];
  const results = new Map<string, AlterClientQuotasResponseEntryDataDraft>();
  for (const alteration of entries) {
    const entity = canonical(alteration.entity);
    const key = JSON.stringify(entity);
    const keys = alteration.ops.map((op) => op.key);
    const isRepeated = results.has(key) || new Set(keys).size < keys.length;
    const altered = isRepeated ? `Ignoring duplicate entity ${named(entity)}` : alter(entity, alteration, around);
    if (typeof altered !== 'string') records.push(...altered);
    const message = typeof altered === 'string' ? altered : null;
    const errorCode = message === null ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
    results.set(key, { errorCode, errorMessage: message, entity });
  }
  return { records: validateOnly ? [] : records, reply: [...results.values()] };
}

/** Of a type that comes twice the last one counts. */
function canonical(entity: Entity): Entity {
  const byType = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]));
  const rank = (type: string): number => (TYPES.includes(type) ? TYPES.indexOf(type) : TYPES.length);
  return [...byType].sort(([a], [b]) => rank(a) - rank(b)).map(([entityType, entityName]) => ({ entityType, entityName }));
}

const named = (entity: Entity): string =>
  `ClientQuotaEntity(entries={${entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).join(', ')}})`;

/** The records, or what is wrong. */
function alter(entity: Entity, { ops }: Alteration, around: Surroundings): readonly MetadataRecordDraft[] | string {
  const kinds = kindsFor(entity);
  if (typeof kinds === 'string') return kinds;
  const current = around.image.clientQuota(entity)?.values;
  const records: MetadataRecordDraft[] = [];
  for (const { key, value, remove } of ops) {
    const problem = remove ? undefined : valueProblem(kinds.get(key), key, value);
    if (problem !== undefined) return problem;
    const isChange = remove ? current?.has(key) === true : current?.get(key) !== value;
    const draft = { entity, key, value: remove ? 0 : value, remove };
    if (isChange) records.push({ kind: 'ClientQuotaRecord', value: draft, version: 0 });
  }
  return records;
}

/** The limits that the entity may have, or what is wrong with it. */
function kindsFor(entity: Entity): ReadonlyMap<string, Kind> | string {
  if (entity.length === 0) return 'Invalid empty client quota entity';
  for (const { entityType, entityName } of entity) {
    if (!TYPES.includes(entityType)) return `Unhandled client quota entity type: ${entityType}`;
    if (entityName === '') return `Empty ${entityType} not supported`;
  }
  const address = entity.find(({ entityType }) => entityType === 'ip');
  if (address === undefined) return OF_CLIENTS;
  if (entity.length > 1) {
    return 'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId';
  }
  const { entityName } = address;
  return entityName === null || isAddress(entityName) ? OF_ADDRESSES : `${entityName} is not a valid IP or resolvable host.`;
}

/** Digits and dots alone are an IPv4 address or nothing. */
function isAddress(text: string): boolean {
  if (/^[\d.]+$/.test(text))
    return /^\d{1,10}(\.\d{1,10}){0,3}$/.test(text) && text.split('.').every((part) => Number(part) < 256);
  return /^[\da-z]([\da-z.-]*[\da-z])?$/i.test(text) || /^\[?[\da-f.]*:[\da-f:.]*\]?$/i.test(text);
}

function valueProblem(kind: Kind | undefined, key: string, value: number): string | undefined {
  if (kind === undefined) return `Invalid configuration key ${key}`;
  if (!Number.isFinite(value)) return `Quota ${key} must be a finite number`;
  if (value <= 0) return `Quota ${key} must be greater than 0`;
  if (value > LARGEST[kind]) return `Proposed value for ${key} is too large for ${ARTICLES[kind]}.`;
  return kind !== 'DOUBLE' && Math.abs(value % 1) > 1e-6 ? `${key} cannot be a fractional value.` : undefined;
}
