/**
 * `listeners` and `listener.security.protocol.map` as clients may change them: they are checked in Apache Kafka's words, and stay as they are, since a broker
 * of a quorum cannot take another listener while it runs (KIP-226, DynamicListenerConfig).
 */
import { brokerConfigInForce } from './broker-values.ts';
import { type ConfigLayers, setBrokerConfig } from './config-sources.ts';
import { pairsOfText, unparsable } from './connection-overrides.ts';
import { listOfText } from './list-value.ts';

const LISTENERS = 'listeners';
const MAP = 'listener.security.protocol.map';
const CONTROLLERS = 'controller.listener.names';
const PROTOCOLS: ReadonlySet<string> = new Set(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']);
const ENDPOINT = /^(.*):\/\/(?:\[[0-9a-zA-Z\-%._:]*\]|[0-9a-zA-Z\-%._:]*):(-?[0-9]+)$/;

const wasGiven = ({ perBroker, clusterDefault }: ConfigLayers, name: string): boolean =>
  perBroker.has(name) || clusterDefault.has(name);

/** What is wrong with those that were given at run time; null where none were. */
export function listenersProblem(layers: ConfigLayers): string | null {
  if (!wasGiven(layers, LISTENERS) && !wasGiven(layers, MAP)) return null;
  const protocols = protocolsOf(layers);
  if ('problem' in protocols) return protocols.problem;
  const texts = listOfText(brokerConfigInForce(layers, LISTENERS));
  const nameless = texts.find((text) => !text.includes(':'));
  if (nameless !== undefined) return `Unable to parse a listener name from ${nameless}`;
  const shown = `[${texts.join(', ')}]`;
  const problem = endpointsProblem(texts, protocols.byListener, shown);
  if (problem !== null) return `Error creating broker listeners from '${shown}': ${problem}`;
  const controllers = listOfText(brokerConfigInForce(layers, CONTROLLERS));
  if (texts.some((text) => controllers.includes(nameOf(text)))) return null;
  return `requirement failed: ${CONTROLLERS} must contain at least one value appearing in the '${LISTENERS}' configuration when running the KRaft controller role`;
}

/** Why the listeners cannot become others; null where they are what they were. */
export function unchangeableListeners(before: ConfigLayers, after: ConfigLayers): string | null {
  if (!wasGiven(after, LISTENERS) && !wasGiven(after, MAP)) return null;
  const [was, is] = [before, after].map((layers) => listOfText(brokerConfigInForce(layers, LISTENERS)));
  if (was === undefined || is === undefined) return null;
  if ([...was].sort().join() !== [...is].sort().join()) {
    return `${LISTENERS} cannot be changed from ${was.join(',')} while the broker runs; change them in its properties and start it again`;
  }
  const [from, to] = [protocolsOf(before), protocolsOf(after)];
  if ('problem' in from || 'problem' in to) return null;
  const changed = is.map(nameOf).find((name) => from.byListener.get(name) !== to.byListener.get(name));
  return changed === undefined ? null : `Security protocol cannot be updated for existing listener ListenerName(${changed})`;
}

const nameOf = (text: string): string => text.slice(0, text.indexOf(':')).toUpperCase();

type Protocols = { readonly problem: string } | { readonly byListener: ReadonlyMap<string, string> };

/** Controllers speak PLAINTEXT where nothing is said of them. */
function protocolsOf(layers: ConfigLayers): Protocols {
  const pairs = pairsOfText(brokerConfigInForce(layers, MAP));
  if ('lengthWithoutColon' in pairs) return { problem: unparsable(MAP, pairs.lengthWithoutColon) };
  const byListener = new Map(pairs.map(([listener, protocol]) => [listener.toUpperCase(), protocol.toUpperCase()]));
  const unknown = [...byListener.values()].findIndex((protocol) => !PROTOCOLS.has(protocol));
  if (unknown !== -1) return { problem: `Invalid security protocol \`${pairs[unknown]?.[1]}\` defined in ${MAP}` };
  if (setBrokerConfig(layers, MAP) === undefined) {
    for (const name of listOfText(brokerConfigInForce(layers, CONTROLLERS))) byListener.set(name.toUpperCase(), 'PLAINTEXT');
  }
  return { byListener };
}

function endpointsProblem(texts: readonly string[], byListener: ReadonlyMap<string, string>, shown: string): string | null {
  for (const text of texts) {
    if (!ENDPOINT.test(text)) return `Unable to parse ${text} to a broker endpoint`;
    if (!byListener.has(nameOf(text))) return `No security protocol defined for listener ${nameOf(text)}`;
  }
  const names = texts.map(nameOf);
  if (new Set(names).size < names.length) return `Each listener must have a different name, listeners: ${shown}`;
  const ports = texts.map((text) => Number(ENDPOINT.exec(text)?.[2])).filter((port) => port !== 0);
  return new Set(ports).size < ports.length ? `Each listener must have a different port, listeners: ${shown}` : null;
}
