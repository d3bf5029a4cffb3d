/** What a coordinator gets of its machine: the reply that was asked for, or the error in its place. */
import { ErrorCode } from '../wire/generated/errors.ts';

export type CoordinatorAnswer<Reply extends { readonly kind: string }, K extends Reply['kind']> =
  | { readonly error: typeof ErrorCode.NONE; readonly reply: Extract<Reply, { readonly kind: K }> }
  | { readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE>; readonly reply?: undefined };

/** Throws an Error where there is none. */
export function failed(error: ErrorCode): { readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE> } {
  if (error === ErrorCode.NONE) throw new Error('a failure without an error');
  return { error };
}
