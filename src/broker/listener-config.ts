/**
 * Which listeners the settings ask for: `listeners`, `listener.security.protocol.map`, `controller.listener.names`, `advertised.listeners`. Texts of what is
 * wrong are close to Kafka's.
 */
import type { SettingsView } from '../api/context.ts';
import { listOfText } from '../machine/metadata/list-value.ts';
import { SettingsError } from './settings-error.ts';

export interface ListenerAddress {
  /** In upper case, as Kafka keeps listener names. */
  readonly name: string;
  /** Without brackets; empty for every address of the machine. */
  readonly host: string;
  readonly port: number;
}

export interface ListenerConfigs {
  /** Those that clients use; never empty. */
  readonly client: readonly ListenerAddress[];
  /** Those that `controller.listener.names` names. An embedded controller serves no one, so they are not opened. */
  readonly controller: readonly ListenerAddress[];
  /** By listener name; without entry where clients are told the address by which they came. */
  readonly advertised: ReadonlyMap<string, ListenerAddress>;
}

const ADDRESS = /^([A-Za-z0-9_-]+):\/\/(?:\[([0-9A-Fa-f:.%\w]*)\]|([\w\-%.]*)):(-?\d+)$/;
const WILDCARDS = new Set(['', '0.0.0.0', '::']);
const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

/** Raises SettingsError. */
export function listenerConfigs(settings: SettingsView): ListenerConfigs {
  const all = addressesOf(settings, 'listeners');
  requireDistinct(all, settings);
  const controllerNames = new Set(settings.list('controller.listener.names').map((name) => name.toUpperCase()));
  const client = all.filter(({ name }) => !controllerNames.has(name));
  if (client.length === 0)
    throw new SettingsError(
      `listeners=${settings.string('listeners')} has no listener for clients beside controller.listener.names; add one, such as PLAINTEXT://:9092`,
    );
  requirePlaintext(all, controllerNames, settings);
  const advertised = advertisedOf(settings, controllerNames);
  for (const name of advertised.keys()) {
    if (client.some((listener) => listener.name === name)) continue;
    throw new SettingsError(
      `advertised.listeners names ${name}, which is not in listeners=${settings.string('listeners')}; add it there or leave it out`,
    );
  }
  requireKnownNames(all, advertised, settings);
  return { client, controller: all.filter(({ name }) => controllerNames.has(name)), advertised };
}

export function isWildcard(host: string): boolean {
  return WILDCARDS.has(host);
}

function addressesOf(settings: SettingsView, setting: string): ListenerAddress[] {
  return settings.list(setting).map((text) => {
    const [, name, ipv6, host, port] = ADDRESS.exec(text) ?? [];
    const number = Number(port);
    if (name === undefined || !(number >= 0 && number <= 65535)) {
      throw new SettingsError(`Invalid value ${text} for configuration ${setting}: Unable to parse it; write NAME://host:port`);
    }
    return { name: name.toUpperCase(), host: ipv6 ?? host ?? '', port: number };
  });
}

function requireDistinct(listeners: readonly ListenerAddress[], settings: SettingsView): void {
  const text = settings.optional('listeners') ?? '';
  if (listeners.length === 0) throw new SettingsError('listeners is empty; write NAME://host:port');
  if (new Set(listeners.map(({ name }) => name)).size < listeners.length) {
    throw new SettingsError(`Each listener must have a different name, listeners: ${text}`);
  }
  const ports = new Map<number, ListenerAddress[]>();
  for (const listener of listeners)
    if (listener.port !== 0) ports.set(listener.port, [...(ports.get(listener.port) ?? []), listener]);
  for (const sharing of ports.values()) {
    if (sharing.length > 1 && !areDistinctHosts(sharing)) {
      throw new SettingsError(`Each listener must have a different port unless their addresses differ, listeners: ${text}`);
    }
  }
}

function areDistinctHosts(listeners: readonly ListenerAddress[]): boolean {
  const hosts = listeners.map(({ host }) => host);
  const wildcards = hosts.filter((host) => host === '' || host === '::');
  return wildcards.length === 0 && new Set(hosts).size === hosts.length;
}

/** Listener name to security protocol; a listener called as a protocol has that one unless the map says otherwise. */
function protocolMap(settings: SettingsView): Map<string, string> {
  const map = new Map<string, string>();
  for (const entry of settings.string('listener.security.protocol.map').split(',')) {
    if (entry.trim() === '') continue;
    const [name = '', protocol = '', ...more] = entry.trim().split(':');
    if (name === '' || more.length > 0 || !SECURITY_PROTOCOLS.includes(protocol.toUpperCase())) {
      throw new SettingsError(
        `Invalid value ${entry} for configuration listener.security.protocol.map: write LISTENER:PROTOCOL, one of ${SECURITY_PROTOCOLS.join(', ')}`,
      );
    }
    map.set(name.toUpperCase(), protocol.toUpperCase());
  }
  return map;
}

function requirePlaintext(
  listeners: readonly ListenerAddress[],
  controllerNames: ReadonlySet<string>,
  settings: SettingsView,
): void {
  const map = protocolMap(settings);
  const isMapped = settings.explicit().has('listener.security.protocol.map');
  for (const { name } of listeners) {
    const protocol = map.get(name) ?? (!isMapped && controllerNames.has(name) ? 'PLAINTEXT' : undefined);
    if (protocol === undefined) {
      throw new SettingsError(
        `No security protocol defined for listener ${name}; add ${name}:PLAINTEXT to listener.security.protocol.map`,
      );
    }
    if (protocol !== 'PLAINTEXT') {
      throw new SettingsError(
        `Listener ${name} asks for ${protocol}, which is not there yet; use PLAINTEXT, in listener.security.protocol.map for other names`,
      );
    }
  }
}

/** Listeners that other settings name. Brokers speak to none, but a broker that names a listener which is not there does not start. */
function requireKnownNames(
  all: readonly ListenerAddress[],
  advertised: ReadonlyMap<string, ListenerAddress>,
  settings: SettingsView,
): void {
  const controllerNames = settings.list('controller.listener.names');
  const isKnown = (name: string): boolean => controllerNames.includes(name) || all.some((listener) => listener.name === name);
  const early = listOfText(settings.explicit().get('early.start.listeners') ?? '').find((name) => !isKnown(name));
  if (early !== undefined) {
    throw new SettingsError(
      `early.start.listeners contains listener ${early}, but this is not contained in listeners or controller.listener.names`,
    );
  }
  const [named, protocol] = ['inter.broker.listener.name', 'security.inter.broker.protocol'] as const;
  const given = settings.explicit();
  if (given.has(named) && given.has(protocol)) {
    throw new SettingsError(`Only one of ${named} and ${protocol} should be set.`);
  }
  const [asked, setting] = given.has(named) ? [settings.string(named), named] : [settings.string(protocol), protocol];
  const offered = advertised.size > 0 ? [...advertised.keys()] : all.map(({ name }) => name);
  const clientNames = offered.filter((name) => !controllerNames.includes(name));
  if (!given.has(setting) || clientNames.includes(asked.toUpperCase())) return;
  throw new SettingsError(
    `${setting}=${asked} must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are ${clientNames.join(',')}`,
  );
}

function advertisedOf(settings: SettingsView, controllerNames: ReadonlySet<string>): Map<string, ListenerAddress> {
  const advertised = new Map<string, ListenerAddress>();
  for (const address of addressesOf(settings, 'advertised.listeners')) {
    if (controllerNames.has(address.name)) continue;
    if (address.host === '0.0.0.0' || address.host === '::') {
      throw new SettingsError(
        `advertised.listeners cannot use the nonroutable meta-address ${address.host}. Use a routable IP address.`,
      );
    }
    if (advertised.has(address.name))
      throw new SettingsError(
        `Each listener must have a different name, advertised.listeners: ${settings.string('advertised.listeners')}`,
      );
    advertised.set(address.name, address);
  }
  return advertised;
}
