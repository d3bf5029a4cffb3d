/** ListGroups, versions 0 to 5: the groups that this broker coordinates. KIP-518 (by state, 4), KIP-848 (by type, 5). */
import type { ListGroupsRequest, ListGroupsResponseDraft } from '../wire/generated/list-groups.ts';
import type { Context } from './context.ts';

const STATES_FROM_VERSION = 4;
const TYPES_FROM_VERSION = 5;

export async function listGroups(request: ListGroupsRequest, context: Context): Promise<ListGroupsResponseDraft> {
  const { errorCode, groups } = await context.groups.listGroups(request);
  return {
    errorCode,
    groups: groups.map(({ groupId, protocolType, groupState = '', groupType = '' }) => ({
      groupId,
      protocolType,
      ...(context.apiVersion >= STATES_FROM_VERSION && { groupState }),
      ...(context.apiVersion >= TYPES_FROM_VERSION && { groupType }),
    })),
  };
}
