/**
 * How many connections there may be: `max.connections` in all, `max.connections.per.ip` from one address, with overrides. One too many from an address is
 * closed; one too many in all waits unread for a place, as in a listener's backlog.
 */
import type { SettingsView } from '../api/context.ts';
import { SettingsError } from './settings-error.ts';

const OVERRIDE = /^(.+):(\d+)$/;
const ADDRESS = /^(?:\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$/;

export class ConnectionLimits {
  private readonly max: number;
  private readonly maxPerAddress: number;
  private readonly overrides: ReadonlyMap<string, number>;
  private readonly perAddress = new Map<string, number>();
  private total = 0;

  /** Raises SettingsError for overrides that are not address:count. */
  constructor(settings: SettingsView) {
    this.max = settings.int('max.connections');
    this.maxPerAddress = settings.int('max.connections.per.ip');
    this.overrides = overridesOf(settings.string('max.connections.per.ip.overrides'));
  }

  get isFull(): boolean {
    return this.total >= this.max;
  }

  allowedFrom(address: string): number {
    return this.overrides.get(address) ?? this.maxPerAddress;
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

function overridesOf(text: string): Map<string, number> {
  const overrides = new Map<string, number>();
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')) {
    const [, host = '', count] = OVERRIDE.exec(entry) ?? [];
    const address = host === 'localhost' ? '127.0.0.1' : host;
    if (!ADDRESS.test(address)) {
      throw new SettingsError(
        `Invalid value ${entry} for configuration max.connections.per.ip.overrides: write address:count, such as 10.0.0.1:5`,
      );
    }
    overrides.set(address, Number(count));
  }
  return overrides;
}
