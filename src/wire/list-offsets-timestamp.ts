/** Timestamps of ListOffsets that stand for a place instead of a time. */

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
/** The record with the greatest timestamp (KIP-734). */
export const MAX_TIMESTAMP = -3;
/** The earliest on the broker's own disk (KIP-405). */
export const EARLIEST_LOCAL_TIMESTAMP = -4;
/** The last in tiered storage (KIP-1005). */
export const LATEST_TIERED_TIMESTAMP = -5;
/** The first not yet in tiered storage (KIP-1023). */
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6;
