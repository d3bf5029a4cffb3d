/**
 * `quorum-state`: who leads the quorum, and for whom this node has voted, as one line of JSON. With a dynamic quorum (KIP-853) in version 1; in the
 * older form, of a static quorum, the voters are listed too.
 */
import { ZERO_UUID } from '../wire/uuid.ts';
import type { Files } from '../world/files.ts';

export interface QuorumState {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** Of a static quorum; undefined otherwise. */
  readonly voterIds: readonly number[] | undefined;
}

const FILE = 'quorum-state';

/** Undefined when there is none. Raises Error when it is not what it should be. */
export function readQuorumState(files: Files, directory: string): QuorumState | undefined {
  const path = `${directory}/${FILE}`;
  if (files.stat(path) === undefined) return undefined;
  const text = files.readFile(path).toString('utf8');
  const state = parsed(text);
  if (typeof state?.leaderEpoch !== 'number' || typeof state.leaderId !== 'number') {
    throw new Error(
      `${path} is not a quorum state: ${JSON.stringify(text.slice(0, SHOWN_LENGTH))}. The metadata log knows the epoch too: remove the file`,
    );
  }
  const voters = Array.isArray(state.currentVoters)
    ? state.currentVoters.map((voter: { voterId: number }) => voter.voterId)
    : undefined;
  return { leaderId: state.leaderId, leaderEpoch: state.leaderEpoch, voterIds: voters };
}

/** Of a file that is something else. */
const SHOWN_LENGTH = 100;

/** Durable when the promise resolves. A static quorum (kraft.version 0) keeps the older form. */
export async function writeQuorumState(
  files: Files,
  directory: string,
  o: { readonly leaderId: number; readonly leaderEpoch: number; readonly kraftVersion: number },
): Promise<void> {
  const { leaderId, leaderEpoch } = o;
  const state =
    o.kraftVersion === 0
      ? {
          clusterId: '',
          leaderId,
          leaderEpoch,
          votedId: -1,
          appliedOffset: 0,
          currentVoters: [{ voterId: leaderId }],
          data_version: 0,
        }
      : { leaderId, leaderEpoch, votedId: -1, votedDirectoryId: ZERO_UUID, data_version: 1 };
  await files.replaceFile(`${directory}/${FILE}`, JSON.stringify(state));
}

function parsed(text: string): { leaderId?: unknown; leaderEpoch?: unknown; currentVoters?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
