/** What was asked for lies before the log start or beyond what its reader may see. Answered with OFFSET_OUT_OF_RANGE. */
export class OffsetOutOfRange extends Error {
  override readonly name = 'OffsetOutOfRange';
}
