/** Errors that several operations answer with, in Kafka's words. */
import { ErrorCode } from '../../wire/generated/errors.ts';
import type { ApiError } from './decision.ts';

/** More records than this are not decided at once: the batch would grow too large for the log. */
export const MAX_RECORDS_PER_OPERATION = 10_000;

export const UNKNOWN_TOPIC: ApiError = {
  error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  message: 'This server does not host this topic-partition.',
};

export const UNKNOWN_TOPIC_ID: ApiError = {
  error: ErrorCode.UNKNOWN_TOPIC_ID,
  message: 'This server does not host this topic ID.',
};

export const TOO_LARGE: ApiError = {
  error: ErrorCode.POLICY_VIOLATION,
  message: 'Unable to perform excessively large batch operation.',
};

const MAX_TEXT_BYTES = 32_767;

/** Whether a text fits into a field of an answer. */
export const isSayable = (text: string | null): boolean => text === null || Buffer.byteLength(text) <= MAX_TEXT_BYTES;
