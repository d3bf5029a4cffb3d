/**
 * DescribeGroups, versions 0 to 6: state, protocol and members of classic groups. KIP-430 (authorized operations, 3), KIP-345 (instance ids, 4),
 * KIP-1043 (a missing group is an error, 6). Without an authorizer every operation that a group knows is authorized.
 */
import type { DescribeGroupsRequest, DescribeGroupsResponseDraft } from '../wire/generated/describe-groups.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context } from './context.ts';
import { groupClientOf } from './group-client.ts';
import { GROUP_OPERATIONS } from './authorized-operations.ts';

const OPERATIONS_FROM_VERSION = 3;

export async function describeGroups(request: DescribeGroupsRequest, context: Context): Promise<DescribeGroupsResponseDraft> {
  const groups = await context.groups.describeGroups(request.groups, groupClientOf(context));
  if (!request.includeAuthorizedOperations || context.apiVersion < OPERATIONS_FROM_VERSION) return { groups };
  return {
    groups: groups.map((group) =>
      group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: GROUP_OPERATIONS } : group,
    ),
  };
}
