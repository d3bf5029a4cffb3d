/** DeleteGroups, versions 0 to 3 (KIP-229): removes empty groups with all their offsets. A group named twice is deleted once. */
import type { DeleteGroupsRequest, DeleteGroupsResponseDraft } from '../wire/generated/delete-groups.ts';
import type { Context } from './context.ts';

export async function deleteGroups(request: DeleteGroupsRequest, context: Context): Promise<DeleteGroupsResponseDraft> {
  return { throttleTimeMs: 0, results: await context.groups.deleteGroups([...new Set(request.groupsNames)]) };
}
