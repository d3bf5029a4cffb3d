/** `max.connections.per.ip.overrides`: how many connections one host may have, as `host:count` in a list. */

/** Texts before and after the last colon; of an entry without one, its length. */
export function pairsOfText(
  text: string,
): readonly (readonly [key: string, value: string])[] | { readonly lengthWithoutColon: number } {
  const pairs: (readonly [string, string])[] = [];
  for (const entry of itemsOf(text.trim())) {
    const colon = entry.lastIndexOf(':');
    if (colon === -1) return { lengthWithoutColon: entry.length };
    pairs.push([entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()]);
  }
  return pairs;
}

/** As Java splits: what is empty at the end is none. */
function itemsOf(text: string): string[] {
  const items = text.split(/\s*,\s*/);
  while (items[items.length - 1] === '') items.pop();
  return items;
}

export type ConnectionOverrides =
  | { readonly ok: true; readonly byHost: ReadonlyMap<string, number> }
  /** In Kafka's words. */
  | { readonly ok: false; readonly problem: string };

const NAME = 'max.connections.per.ip.overrides';
const HOST = /^[0-9a-zA-Z\-%._:]*$/;

/** Source: AbstractKafkaConfig.maxConnectionsPerIpOverrides and KafkaConfig.validateValues of Apache Kafka 4.4. Nobody asks for the hosts' addresses here. */
export function connectionOverrides(text: string): ConnectionOverrides {
  const refused = (problem: string): ConnectionOverrides => ({ ok: false, problem });
  const pairs = pairsOfText(text);
  if ('lengthWithoutColon' in pairs) return refused(unparsable(NAME, pairs.lengthWithoutColon));
  const byHost = new Map<string, number>();
  for (const [host, count] of pairs) {
    const number = /^[+-]?\d+$/.test(count) ? Number(count) : Number.NaN;
    if (!(number >= -(2 ** 31) && number < 2 ** 31)) return refused(`For input string: "${count}"`);
    byHost.set(host, number);
  }
  const invalid = [...byHost.keys()].filter((host) => !HOST.test(host));
  return invalid.length > 0 ? refused(`${NAME} contains invalid addresses : ${invalid.join(',')}`) : { ok: true, byHost };
}

export function unparsable(name: string, lengthWithoutColon: number): string {
  return `Error parsing configuration property '${name}': begin 0, end -1, length ${lengthWithoutColon}`;
}
