/**
 * ListPartitionReassignments, version 0 (KIP-455): the partitions that are on their way to other brokers, of all topics or of those that are named.
 *
 * - What is not on its way, or does not exist, is left out.
 * - timeoutMs is not looked at: nothing waits for other nodes.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { ListPartitionReassignmentsResponseOngoingTopicReassignmentDraft } from '../wire/generated/list-partition-reassignments.ts';
import type { Context, Handler } from './context.ts';

type Ongoing = ListPartitionReassignmentsResponseOngoingTopicReassignmentDraft;

export const listPartitionReassignments: Handler<'listPartitionReassignments'> = ({ topics }, { image }) => {
  const named = topics ?? [...image.topicsByName.values()].map(({ name }) => ({ name, partitionIndexes: undefined }));
  const ongoing = named.map(({ name, partitionIndexes }) => reassigned(image, name, partitionIndexes));
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: ongoing.filter(({ partitions }) => partitions.length > 0),
  };
};

function reassigned(image: Context['image'], name: string, indexes: readonly number[] | undefined): Ongoing {
  const all = image.topicsByName.get(name)?.partitions;
  const partitions = [...(indexes ?? all?.keys() ?? [])].flatMap((partitionIndex) => {
    const partition = all?.get(partitionIndex);
    if (partition === undefined) return [];
    const { replicas, addingReplicas, removingReplicas } = partition;
    if (addingReplicas.length === 0 && removingReplicas.length === 0) return [];
    return [{ partitionIndex, replicas, addingReplicas, removingReplicas }];
  });
  return { name, partitions };
}
