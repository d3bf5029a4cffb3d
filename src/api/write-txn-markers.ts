/**
 * WriteTxnMarkers, versions 1 and 2: a coordinator, or an administrator who ends a transaction that hangs (KIP-664), has the ends of transactions written
 * into partitions that this broker leads, once in each, however often it is named. Answered when all are committed. KIP-1228 (2: the transaction.version of the producer).
 * Other than in Apache Kafka, a producer id beyond 2^53, which no broker has given, is refused: INVALID_PRODUCER_ID_MAPPING.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type {
  WriteTxnMarkersRequest,
  WriteTxnMarkersRequestWritableTxnMarker,
  WriteTxnMarkersResponseDraft,
} from '../wire/generated/write-txn-markers.ts';
import type { Context } from './context.ts';

type Marker = WriteTxnMarkersRequestWritableTxnMarker;

interface Result {
  readonly producerId: bigint;
  readonly name: string;
  readonly partitionIndex: number;
  readonly errorCode: ErrorCode;
}

export async function writeTxnMarkers(request: WriteTxnMarkersRequest, context: Context): Promise<WriteTxnMarkersResponseDraft> {
  const written = await Promise.all(request.markers.map((marker) => write(marker, context)));
  return { markers: [...byProducer(written.flat())] };
}

function write(marker: Marker, { transactionMarkers }: Context): Promise<Result[]> {
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion, transactionResult: committed } = marker;
  const end = { producerId: Number(producerId), producerEpoch, coordinatorEpoch, committed, transactionVersion };
  return Promise.all(
    [...partitionsOf(marker)].flatMap(([name, indexes]) =>
      [...indexes].map(async (partitionIndex): Promise<Result> => {
        const isHeld = Number.isSafeInteger(end.producerId);
        const errorCode = isHeld
          ? await transactionMarkers.write(name, partitionIndex, end)
          : ErrorCode.INVALID_PRODUCER_ID_MAPPING;
        return { producerId, name, partitionIndex, errorCode };
      }),
    ),
  );
}

function partitionsOf({ topics }: Marker): ReadonlyMap<string, ReadonlySet<number>> {
  const byTopic = new Map<string, Set<number>>();
  for (const { name, partitionIndexes } of topics)
    byTopic.set(name, new Set([...(byTopic.get(name) ?? []), ...partitionIndexes]));
  return byTopic;
}

/** A producer that comes several times is answered once, with the last of what was said of a partition. */
function* byProducer(results: readonly Result[]): Iterable<WriteTxnMarkersResponseDraft['markers'][number]> {
  const producers = new Map<bigint, Map<string, Map<number, ErrorCode>>>();
  for (const { producerId, name, partitionIndex, errorCode } of results) {
    const topics = producers.get(producerId) ?? new Map<string, Map<number, ErrorCode>>();
    producers.set(producerId, topics);
    topics.set(name, (topics.get(name) ?? new Map<number, ErrorCode>()).set(partitionIndex, errorCode));
  }
  for (const [producerId, topics] of producers) {
    yield {
      producerId,
      topics: [...topics].map(([name, partitions]) => ({
        name,
        partitions: [...partitions].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
      })),
    };
  }
}
