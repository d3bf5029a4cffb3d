/** What a quorum of one tells its metadata log about itself: who leads, of what kind it is, and who votes (KIP-853). */
import type { ControlRecordDraft } from '../wire/control-record.ts';
import type { VotersRecordVoterDraft } from '../wire/generated/records/voters-record.ts';

/** Where a controller of this quorum would listen. */
export interface ControllerEndpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export function leaderChange(nodeId: number): ControlRecordDraft {
  const voter = { voterId: nodeId };
  return { kind: 'LeaderChange', value: { version: 0, leaderId: nodeId, voters: [voter], grantingVoters: [voter] } };
}

export function onlyVoter(nodeId: number, directoryId: string, endpoint: ControllerEndpoint): VotersRecordVoterDraft {
  return {
    voterId: nodeId,
    voterDirectoryId: directoryId,
    endpoints: [endpoint],
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
  };
}

/** What makes a quorum one that the log knows the voters of. */
export function dynamicQuorum(kraftVersion: number, voters: readonly VotersRecordVoterDraft[]): readonly ControlRecordDraft[] {
  return [
    { kind: 'KRaftVersion', value: { version: 0, kRaftVersion: kraftVersion } },
    { kind: 'KRaftVoters', value: { version: 0, voters } },
  ];
}
