/** The tables of docs/settings.md, computed from what the broker says that it acts on. */
import { ACTED_ON } from '../../src/broker/acted-on.ts';
import { DEVELOPMENT_DEFAULTS } from '../../src/broker/development-defaults.ts';
import { BROKER_CONFIGS, type ConfigFact, TOPIC_CONFIGS } from '../../src/wire/generated/configs.ts';
import { withPart } from './generated-part.ts';

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function defaultOf({ name, default: value }: ConfigFact): string {
  const own = DEVELOPMENT_DEFAULTS.get(name);
  const shown = value === undefined || value === null ? '' : value === '' ? 'empty' : code(value);
  return own === undefined ? shown : `${shown}, here ${code(own)}`;
}

function brokerTable(): string {
  const rows = BROKER_CONFIGS.filter(({ name, internal }) => ACTED_ON.has(name) && internal !== true).map(
    (fact) => `| ${code(fact.name)} | ${defaultOf(fact)} |`,
  );
  return ['| setting | default |', '|---|---|', ...rows].join('\n');
}

/** A topic's config is acted on where the broker's setting that it falls back to is. */
function topicTable(): string {
  const rows = TOPIC_CONFIGS.flatMap((fact) => {
    const fallbacks = (typeof fact.broker === 'object' ? fact.broker : []).filter(({ name }) => ACTED_ON.has(name));
    if (fallbacks.length === 0) return [];
    return [`| ${code(fact.name)} | ${defaultOf(fact)} | ${fallbacks.map(({ name }) => code(name)).join(', ')} |`];
  });
  return ['| config | default | for all topics |', '|---|---|---|', ...rows].join('\n');
}

/** docs/settings.md with its tables as they have to be. */
export function withSettings(document: string): string {
  return withPart(withPart(document, 'broker', brokerTable()), 'topic', topicTable());
}
