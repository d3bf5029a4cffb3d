/**
 * DescribeClientQuotas, versions 0 and 1 (KIP-546): the limits of users, clients and addresses that a filter takes in; of all, where it is empty.
 *
 * - `strict` takes in only what has no part that the filter does not name.
 * - They are those that Apache Kafka left in the directory: nobody is held to them here, and so there is no AlterClientQuotas.
 * - What is wrong with a filter fails the whole request, and there are no entries then, not even none.
 */
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponseEntryDataDraft,
} from '../wire/generated/describe-client-quotas.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

type Component = DescribeClientQuotasRequest['components'][number];
type Entity = DescribeClientQuotasResponseEntryDataDraft['entity'];

/** Kafka's numbers of ways to match. */
const MatchType = { EXACT: 0, DEFAULT: 1, SPECIFIED: 2 } as const;
const TYPES = ['ip', 'user', 'client-id'];

interface Problem {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

const invalid = (errorMessage: string): Problem => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });

export const describeClientQuotas: Handler<'describeClientQuotas'> = ({ components, strict }, { image }) => {
  const problem = filterProblem(components);
  if (problem !== undefined) return { throttleTimeMs: 0, ...problem, entries: null };
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: '', entries: matching(components, strict, image) };
};

function filterProblem(components: readonly Component[]): Problem | undefined {
  const types = new Set<string>();
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') return invalid('Invalid empty entity type.');
    if (types.has(entityType)) return invalid(`Entity type ${entityType} cannot appear more than once in the filter.`);
    if (!TYPES.includes(entityType)) {
      return { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage: `Unsupported entity type ${entityType}` };
    }
    const mismatch = matchProblem(matchType, match);
    if (mismatch !== undefined) return invalid(mismatch);
    types.add(entityType);
  }
  if (!types.has('ip') || types.size === 1) return undefined;
  return invalid(
    'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
  );
}

function matchProblem(matchType: number, match: string | null): string | undefined {
  switch (matchType) {
    case MatchType.EXACT:
      return match === null ? 'Request specified MATCH_TYPE_EXACT, but set match string to null.' : undefined;
    case MatchType.DEFAULT:
      return match === null ? undefined : 'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.';
    case MatchType.SPECIFIED:
      return match === null ? undefined : 'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.';
    default:
      return `Unknown match type ${matchType}`;
  }
}

function matching(
  components: readonly Component[],
  strict: boolean,
  image: Context['image'],
): DescribeClientQuotasResponseEntryDataDraft[] {
  const entries: DescribeClientQuotasResponseEntryDataDraft[] = [];
  for (const { entity, values } of image.clientQuotas.values()) {
    if (strict && entity.length !== components.length) continue;
    if (!components.every((component) => takesIn(component, entity))) continue;
    entries.push({ entity, values: [...values].map(([key, value]) => ({ key, value })) });
  }
  return entries;
}

/** A null match of a default means the null name, which stands for all that have no limits of their own. */
function takesIn({ entityType, matchType, match }: Component, entity: Entity): boolean {
  const part = entity.find((one) => one.entityType === entityType);
  return part !== undefined && (matchType === MatchType.SPECIFIED || part.entityName === match);
}
