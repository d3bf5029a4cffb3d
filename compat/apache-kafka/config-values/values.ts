/** Values to try a config with: right ones, those at and beyond its bounds, and those that are hard to read. */
import type { ConfigFact } from '../../../src/wire/generated/configs.ts';

const NUMBERS = ['0', '-1', '-2', '1', '2', '+5', '-0', '007', '1.5', '1e3', '0x10', '5,6', '1_000', '5L', '-', ' 5 ', '\t7\n'];
const EDGES = [15n, 31n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n].map(String));
const DOUBLES = [
  '0.5',
  '1.0000001',
  '-0.0',
  'NaN',
  'Infinity',
  '-Infinity',
  '1e400',
  '1e-400',
  '.5',
  '5.',
  '5f',
  '5D',
  '1e',
  'nan',
];
const BOOLEANS = ['true', 'false', 'TRUE', ' False ', 'yes', '1', 'truee', 'true,false'];
const NOTHING = ['', ' ', 'some text', ','];
const LISTS = ['a', 'a,b', 'a,a', 'a,,b', ',a', 'a,', ' a , b ', ' a, a', '*', '*,a', 'a b'];
const REPLICAS = [
  '0:1',
  '0:1,1:1',
  '0:1,0:1',
  '0:1,',
  '0',
  '0:',
  ':1',
  '0:1:2',
  '-1:1',
  'a:b',
  '0 : 1',
  '*,0:1',
  ',',
  '0:1,,1:1',
  '*',
];
const BY_NAME: Readonly<Record<string, readonly string[]>> = {
  'max.connections.per.ip.overrides': [
    '127.0.0.1:5', '127.0.0.1:0', '127.0.0.1:-1', '127.0.0.1', '127.0.0.1:', ':5', '127.0.0.1:x', '127.0.0.1:5,', '127.0.0.1:5,,10.0.0.1:6', '127.0.0.1:5,127.0.0.1:6',
    ' 127.0.0.1 : 5 ', 'localhost:5', 'no.such.host.invalid:5', 'a b:5', '::1:5', '[::1]:5', '[::1:5', '1.2.3:4', '1.2.3.4.5:6', '256.1.1.1:5', '127.0.0.1:2147483648', '127.0.0.1:99999999999', '127.0.0.1:+5', '127.0.0.1:1.5',
    '127.0.0.1:5:6', '300:5', '010.0.0.1:5', '0x7f.1:5', '127.0.0.1:5;127.0.0.2:6', 'fe80::1%nowhere:5', '::g:5', ',127.0.0.1:5',
  ],
  'metric.reporters': [
    'org.apache.kafka.common.metrics.JmxReporter', 'no.such.Class', 'java.lang.String', 'org.apache.kafka.common.metrics.JmxReporter,no.such.Class', 'org.apache.kafka.common.metrics.JmxReporter,org.apache.kafka.common.metrics.JmxReporter',
    'no.such.Class,org.apache.kafka.common.metrics.JmxReporter', 'java.util.List', 'JmxReporter', ' org.apache.kafka.common.metrics.JmxReporter ', 'java.lang.Integer', 'org.apache.kafka.common.metrics.jmxreporter',
  ],
  listeners: ['PLAINTEXT://127.0.0.1:0', 'PLAINTEXT://:0', 'OTHER://:1', 'nonsense', 'PLAINTEXT://a b:1', 'PLAINTEXT://127.0.0.1:99999'],
  'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'PLAINTEXT:SSL', 'PLAINTEXT', 'a:b', 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT'],
  'principal.builder.class': ['no.such.Class', 'java.lang.String', 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder'],
  'errors.deadletterqueue.topic.name.prefix': ['__x', 'dlq.', 'a b', 'x'.repeat(300)],
  'config.providers': ['file', 'env,file'],
}; // biome-ignore format: a table reads better in rows

const NUMERIC: ReadonlySet<string> = new Set(['SHORT', 'INT', 'LONG', 'DOUBLE']);

/** Each once. A value that cannot be written is null. */
export function valuesOf(fact: ConfigFact): readonly (string | null)[] {
  const values: (string | null)[] = [null, ...NOTHING, ...(BY_NAME[fact.name] ?? [])];
  if (fact.default !== undefined && fact.default !== null) values.push(fact.default, `${fact.default},${fact.default}`);
  const bounds = NUMERIC.has(fact.type) ? [...(fact.valid ?? '').matchAll(/-?\d+/g)].map(([number]) => BigInt(number)) : [];
  for (const bound of bounds) values.push(...[bound - 1n, bound, bound + 1n].map(String));
  if (NUMERIC.has(fact.type)) values.push(...NUMBERS, ...EDGES);
  else values.push('0', '-1', 'x'.repeat(32_767));
  if (fact.type === 'DOUBLE') values.push(...DOUBLES);
  if (fact.type === 'BOOLEAN') values.push(...BOOLEANS);
  if (fact.type === 'LIST') values.push(...LISTS, ...(fact.valid?.includes(']:[') ? REPLICAS : []));
  const members = NUMERIC.has(fact.type)
    ? []
    : (/^\[([^\]:.]+)\]$/.exec(fact.valid ?? '')?.[1] ?? '').split(', ').filter((one) => one !== '');
  for (const member of members)
    values.push(member, member.toUpperCase(), ` ${member}`, `${member},${member}`, `${member},none`, `${member},${members[0]}`);
  return [...new Set(values)];
}
