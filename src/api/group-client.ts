/** Who asks, as the group coordinator wants to know it. */
import type { Context } from './context.ts';

export function groupClientOf(context: Context): {
  readonly apiVersion: number;
  readonly clientId: string;
  readonly host: string;
} {
  return { apiVersion: context.apiVersion, clientId: context.clientId ?? '', host: context.connection.remoteHost };
}
