/**
 * How many connections there may be: `max.connections` in all, `max.connections.per.ip` from one address, with overrides. One too many from an address is
 * closed; one too many in all waits unread for a place, as in a listener's backlog. The limits may change while the broker runs; who is there stays.
 */
import { connectionOverrides } from '../machine/metadata/connection-overrides.ts';
import type { Network } from '../world/network.ts';
import { SettingsError } from './settings-error.ts';

export interface Limits {
  readonly max: number;
  readonly maxPerAddress: number;
  readonly overrides: ReadonlyMap<string, number>;
}

/** Whether the config of this name is one of those that say what the limits are. */
export const limitsConnections = (name: string): boolean => name.startsWith('max.connections');

/** The limits that broker configs ask for. SettingsError for overrides that are not host:count, and for hosts that nobody knows. */
export async function limitsOf(inForce: (name: string) => string, network: Network): Promise<Limits> {
  return {
    max: Number(inForce('max.connections')),
    maxPerAddress: Number(inForce('max.connections.per.ip')),
    overrides: await overridesOf(inForce('max.connections.per.ip.overrides'), network),
  };
}

async function overridesOf(text: string, network: Network): Promise<Map<string, number>> {
  const name = 'max.connections.per.ip.overrides';
  const read = connectionOverrides(text);
  if (!read.ok) throw new SettingsError(`${name}=${text}: ${read.problem}; write host:count, such as 10.0.0.1:5`);
  const overrides = new Map<string, number>();
  for (const [host, count] of read.byHost) {
    const address = await network.addressOf(host).catch(() => undefined);
    if (address === undefined)
      throw new SettingsError(`${name}=${text} names ${host}, which is not known by that name; write its address`);
    overrides.set(address, count);
  }
  return overrides;
}

export class ConnectionLimits {
  private limits: Limits = { max: Number.POSITIVE_INFINITY, maxPerAddress: Number.POSITIVE_INFINITY, overrides: new Map() };
  private readonly perAddress = new Map<string, number>();
  private total = 0;

  configure(limits: Limits): void {
    this.limits = limits;
  }

  get isFull(): boolean {
    return this.total >= this.limits.max;
  }

  allowedFrom(address: string): number {
    return this.limits.overrides.get(address) ?? this.limits.maxPerAddress;
  }

  /** False when this address has all it may have. Otherwise the connection is counted until `leave`. */
  enter(address: string): boolean {
    const count = this.perAddress.get(address) ?? 0;
    if (count >= this.allowedFrom(address)) return false;
    this.perAddress.set(address, count + 1);
    this.total++;
    return true;
  }

  leave(address: string): void {
    const count = (this.perAddress.get(address) ?? 0) - 1;
    if (count > 0) this.perAddress.set(address, count);
    else this.perAddress.delete(address);
    this.total--;
  }
}
