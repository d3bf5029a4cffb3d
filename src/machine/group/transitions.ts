/** Which state may follow which. SPEC.md shows the same table with what brings each about. */
import type { GroupState } from './classic-group.ts';

export const TRANSITIONS: { readonly [from in GroupState]: readonly GroupState[] } = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['CompletingRebalance', 'Empty', 'Dead'],
  CompletingRebalance: ['Stable', 'PreparingRebalance', 'Dead'],
  Stable: ['PreparingRebalance', 'Dead'],
  Dead: [],
};
