/** The sequence that `tools-beside.ts` plays, as data. */
import { advertisedApis, HANDLERS } from '../../src/api/table.ts';
import { SUPPORTED_FEATURES } from '../../src/machine/metadata/features.ts';

export interface Step {
  readonly title: string;
  readonly main: string;
  /** ADDRESS stands for the broker's, FILE for the path of a file with the content of `file`. */
  readonly args: readonly string[];
  readonly input?: string;
  readonly file?: string;
  /** In a process of its own. */
  readonly alone?: boolean;
  readonly masks?: readonly (readonly [pattern: RegExp, instead: string])[];
  /** What of the masked lines is compared; all of them unless told. */
  readonly read?: (lines: string[]) => string[];
  /** Asked again until it says what `says` has. */
  readonly settles?: boolean;
  /** What Apache Kafka's output has to hold, so that two failures alike are no success. */
  readonly says?: RegExp;
}

const TOOLS = 'org.apache.kafka.tools';

/** `server` is how the tool calls the option of the broker's address. */
function tool(main: string, server = '--bootstrap-server') {
  return (title: string, args: string, more: Partial<Step> = {}): Step => ({
    title,
    main,
    args: [server, 'ADDRESS', ...args.split(' ').filter((arg) => arg !== '')],
    ...more,
  });
}

const topics = tool(`${TOOLS}.TopicCommand`);
const configs = tool('kafka.admin.ConfigCommand');
const produce = tool(`${TOOLS}.ConsoleProducer`);
const consume = tool(`${TOOLS}.consumer.ConsoleConsumer`);
const offsets = tool(`${TOOLS}.GetOffsetShell`);
const groups = tool(`${TOOLS}.consumer.group.ConsumerGroupCommand`);
const allGroups = tool(`${TOOLS}.GroupsCommand`);
const deletion = tool(`${TOOLS}.DeleteRecordsCommand`);
const logDirs = tool(`${TOOLS}.LogDirsCommand`);
const features = tool(`${TOOLS}.FeatureCommand`);
const apiVersions = tool(`${TOOLS}.BrokerApiVersionsCommand`);
const producerPerf = tool(`${TOOLS}.ProducerPerformance`);
const consumerPerf = tool(`${TOOLS}.ConsumerPerformance`);
const elections = tool(`${TOOLS}.LeaderElectionCommand`);
const reassignments = tool(`${TOOLS}.reassign.ReassignPartitionsCommand`);
const quorum = tool(`${TOOLS}.MetadataQuorumCommand`);
const acls = tool(`${TOOLS}.AclCommand`);
const tokens = tool(`${TOOLS}.DelegationTokenCommand`);
const verifiableProducer = tool(`${TOOLS}.VerifiableProducer`);
const verifiableConsumer = tool(`${TOOLS}.VerifiableConsumer`);

const cluster = (title: string, verb: string, more: Partial<Step> = {}, args: readonly string[] = []): Step => ({
  title,
  main: `${TOOLS}.ClusterTool`,
  args: [verb, '--bootstrap-server', 'ADDRESS', ...args],
  ...more,
});

/** Partitions are read in the order in which their answers come. */
const sorted = (lines: string[]): string[] => [...lines].sort();

const lines = Array.from({ length: 300 }, (_, i) => `key-${i % 17}\tvalue ${i} ${'ß値'.repeat(i % 40)}`);

/** One line an API: those without a handler here are left out, on both sides. */
function served(all: string[]): string[] {
  const keys = new Set(advertisedApis(HANDLERS).map(({ apiKey }) => String(apiKey)));
  return all.filter((line) => {
    const key = /^ \w+\((\d+)\)/.exec(line)?.[1];
    return key === undefined || keys.has(key);
  });
}

/** One line a feature, in any order: those that Blumfeld does not support are left out, on both sides. */
function supported(all: string[]): string[] {
  return sorted(all).filter((line) => {
    const name = /^Feature: (\S+)/.exec(line)?.[1];
    return name === undefined || SUPPORTED_FEATURES.get(name)?.max !== 0;
  });
}

/** What else is in the metadata log. */
const EPOCHS = [[/Epoch: \d+/g, 'Epoch: N']] as const;

/** The levels as clients are told, which Apache Kafka's broker hears of a moment after its controller has answered. */
const levels = (title: string, says: RegExp): Step =>
  features(title, 'describe', { masks: EPOCHS, read: supported, says, settles: true });

/** Where the metadata log is, and where its controller is said to be. */
const QUORUM = [
  [/(HighWatermark|LeaderEpoch): *\d+/g, '$1: N'],
  [/("directoryId": ")[\w-]{22}/g, '$1ID'],
  [/(CONTROLLER:\/\/)[^"]+/g, '$1ADDRESS'],
  [/ClusterId: *[\w-]{22}/g, 'ClusterId: ID'],
  [/^1\s+[\w-]{22}\s+\d+\s+0\s+\d+\s+\d+\s+Leader/gm, '1 ID N 0 N N Leader'],
] as const;

/** Partition 0 of the topic of orders, on `replicas`. */
const moved = (replicas: readonly number[], directory = 'any'): string =>
  JSON.stringify({
    version: 1,
    partitions: [{ topic: 'orders', partition: 0, replicas, log_dirs: replicas.map(() => directory) }],
  });

/** Times, rates and latencies are the machine's; how much was sent and in what form it is told are not. */
const FIGURES = [
  [/\b\d+\.\d+\b/g, 'F'],
  [/\b\d+ ms\b/g, 'N ms'],
  [/th = \d+/g, 'th = N'],
] as const;

const TIMES = [
  [/"timestamp":\d+/g, '"timestamp":0'],
  [/"avg_throughput":[\d.]+/g, '"avg_throughput":0'],
] as const;

/** Records come in as many polls as they come: their number and the last offset are compared, and which events there were. */
function consumption(all: string[]): string[] {
  const events = all.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  const counted = events.filter(({ name }) => name === 'records_consumed');
  const total = counted.reduce((sum, { count }) => sum + Number(count), 0);
  const committed = events.filter(({ name }) => name === 'offsets_committed').at(-1);
  const rest = events.filter(({ name }) => name !== 'records_consumed' && name !== 'offsets_committed');
  return [
    ...all.filter((line) => !line.startsWith('{')),
    `${total} records consumed`,
    JSON.stringify(committed),
    ...rest.map((one) => JSON.stringify(one)),
  ];
}

const SEPARATED = 'key.separator=\t';
const KEYED = ['--reader-property', 'parse.key=true', '--reader-property', SEPARATED];
const PRINTED = ['print.key=true', 'print.partition=true', 'print.offset=true', 'print.headers=true', SEPARATED].flatMap(
  (one) => ['--formatter-property', one],
);

const withArgs = (step: Step, args: readonly string[]): Step => ({ ...step, args: [...step.args, ...args] });

export const STEPS: readonly Step[] = [
  topics('topics: create', '--create --topic orders --partitions 3 --replication-factor 1 --config retention.ms=-1', {
    says: /Created topic orders/,
  }),
  topics('topics: create what exists', '--create --topic orders --partitions 3', { says: /already exists/ }),
  topics('topics: create if it does not exist', '--create --if-not-exists --topic orders'),
  topics('topics: a name that may not be', '--create --topic a/b --partitions 1'),
  topics('topics: too many replicas', '--create --topic wide --partitions 1 --replication-factor 3', {
    says: /replication factor/i,
  }),
  topics('topics: a config that does not exist', '--create --topic odd --config no.such=1', { says: /no\.such/ }),
  topics('topics: a config out of range', '--create --topic odd --config segment.bytes=1', { says: /segment\.bytes/ }),
  topics('topics: a name with a dot', '--create --topic with.dot', { says: /Created/ }),
  topics('topics: list', '--list', { says: /orders/ }),
  topics('topics: describe', '--describe --topic orders', { says: /ReplicationFactor: 1/ }),
  topics('topics: describe all', '--describe'),
  topics('topics: describe overrides', '--describe --topics-with-overrides', { says: /retention\.ms/ }),
  topics('topics: describe what is unavailable', '--describe --unavailable-partitions'),
  topics('topics: describe what does not exist', '--describe --topic nowhere', { says: /does not exist/ }),
  topics('topics: more partitions', '--alter --topic orders --partitions 5'),
  topics('topics: fewer partitions', '--alter --topic orders --partitions 2', { says: /5 partition/ }),
  topics('topics: alter what does not exist', '--alter --topic nowhere --partitions 2'),

  withArgs(
    produce('console producer: three hundred keyed records', '--topic orders --compression-codec lz4', {
      input: `${lines.join('\n')}\n`,
    }),
    KEYED,
  ),
  withArgs(
    consume(
      'console consumer: all of them, by a group',
      '--topic orders --from-beginning --max-messages 300 --timeout-ms 20000 --group readers',
      { read: sorted, says: /value 299/ },
    ),
    PRINTED,
  ),
  produce('console producer: one record', '--topic with.dot', { input: 'hello\n' }),
  withArgs(
    consume(
      'console consumer: from an offset of a partition',
      '--topic with.dot --partition 0 --offset 0 --max-messages 1 --timeout-ms 20000',
      { says: /hello/ },
    ),
    PRINTED,
  ),
  withArgs(
    consume('console consumer: nothing behind the end', '--topic with.dot --partition 0 --offset latest --timeout-ms 1500'),
    PRINTED,
  ),

  offsets('get-offsets: latest', '--topic orders', { says: /orders:4:\d+/ }),
  offsets('get-offsets: earliest', '--topic orders --time earliest'),
  offsets('get-offsets: max-timestamp', '--topic with.dot --time max-timestamp', { says: /with\.dot:0:0/ }),
  offsets('get-offsets: earliest-local', '--topic orders --time earliest-local'),
  offsets('get-offsets: latest-tiered', '--topic orders --time latest-tiered'),
  offsets('get-offsets: a time', '--topic orders --time 1'),
  offsets('get-offsets: a time to come', '--topic orders --time 99999999999999'),
  offsets('get-offsets: by pattern', '--topic-partitions or.*:1-3,with.dot:0', { says: /orders:2/ }),
  offsets('get-offsets: no such topic', '--topic nowhere', { says: /Could not match/ }),

  groups('consumer-groups: list', '--list', { says: /readers/ }),
  groups('consumer-groups: list with states', '--list --state', { says: /Empty/ }),
  groups('consumer-groups: list with types', '--list --type', { says: /Classic/ }),
  groups('consumer-groups: describe', '--describe --group readers', { says: /readers orders 4/, read: sorted }),
  groups('consumer-groups: describe offsets', '--describe --group readers --offsets --verbose', { read: sorted }),
  groups('consumer-groups: describe members', '--describe --group readers --members --verbose', { says: /no active members/ }),
  groups('consumer-groups: describe state', '--describe --group readers --state --verbose', { says: /Empty/ }),
  groups('consumer-groups: describe what does not exist', '--describe --group nobody', { says: /nobody/ }),
  groups('consumer-groups: reset, dry', '--reset-offsets --group readers --topic orders --to-earliest --dry-run', {
    read: sorted,
    says: /orders 4 0/,
  }),
  groups('consumer-groups: reset', '--reset-offsets --group readers --topic orders:0,1 --shift-by -2 --execute', {
    read: sorted,
  }),
  groups(
    'consumer-groups: reset to a time',
    '--reset-offsets --group readers --topic orders --to-datetime 2020-01-01T00:00:00.000 --execute',
    { read: sorted },
  ),
  groups('consumer-groups: describe after it', '--describe --group readers', { read: sorted }),
  groups('consumer-groups: delete offsets', '--delete-offsets --group readers --topic orders:3', { says: /orders 3 Successful/ }),
  groups('consumer-groups: delete', '--delete --group readers', { says: /successful/ }),
  groups('consumer-groups: delete what does not exist', '--delete --group nobody'),
  allGroups('groups: list', '--list'),

  deletion('delete-records: before an offset', '--offset-json-file FILE', {
    file: '{"partitions":[{"topic":"orders","partition":0,"offset":10},{"topic":"with.dot","partition":0,"offset":-1}],"version":1}',
    says: /low_watermark: 10/,
    read: sorted,
  }),
  deletion('delete-records: behind the end', '--offset-json-file FILE', {
    file: '{"partitions":[{"topic":"orders","partition":1,"offset":99999}]}',
    says: /OffsetOutOfRange|out of range|not within/,
  }),
  deletion('delete-records: the same twice', '--offset-json-file FILE', {
    file: '{"partitions":[{"topic":"orders","partition":0,"offset":11},{"topic":"orders","partition":0,"offset":12}]}',
    says: /duplicate/,
  }),
  offsets('get-offsets: after records were deleted', '--topic orders --time earliest', { says: /orders:0:10/ }),

  logDirs('log-dirs: a topic', '--describe --topic-list with.dot', { says: /"partition":"with\.dot-0","size":\d/ }),
  logDirs('log-dirs: a broker', '--describe --topic-list with.dot --broker-list 1'),
  logDirs('log-dirs: no such broker', '--describe --broker-list 7', { says: /7/ }),

  apiVersions('broker-api-versions: every API that is served', '', { read: served, says: /Produce\(0\): 0 to 13/ }),
  cluster('cluster: id', 'cluster-id', { says: /Cluster ID/ }),
  cluster('cluster: endpoints', 'list-endpoints', { says: /PORT/ }),
  cluster('cluster: endpoints with those that are fenced', 'list-endpoints', {}, ['--include-fenced-brokers']),

  configs('configs: alter a topic', '--alter --topic orders --add-config retention.ms=86400000,cleanup.policy=[compact,delete]', {
    says: /Completed/,
  }),
  configs('configs: describe a topic', '--describe --topic orders', { says: /retention\.ms=86400000/ }),
  configs('configs: describe all of a topic', '--describe --all --topic orders', { read: sorted }),
  configs('configs: delete from a topic', '--alter --topic orders --delete-config cleanup.policy', { says: /Completed/ }),
  configs('configs: a value that may not be', '--alter --topic orders --add-config retention.ms=soon', { says: /retention\.ms/ }),
  configs('configs: a key that does not exist', '--alter --topic orders --add-config no.such=1', { says: /no\.such/ }),
  configs('configs: no such topic', '--describe --topic nowhere', { says: /nowhere/ }),
  configs('configs: alter the broker', '--alter --broker 1 --add-config log.retention.ms=7200000', { says: /Completed/ }),
  configs('configs: describe the broker', '--describe --broker 1', { says: /7200000/ }),
  configs('configs: alter all brokers', '--alter --broker-defaults --add-config message.max.bytes=2000000', {
    says: /Completed/,
  }),
  configs('configs: describe all brokers', '--describe --broker-defaults', { says: /2000000/ }),
  configs('configs: what may not change while it runs', '--alter --broker 1 --add-config node.id=2', { says: /Cannot|node\.id/ }),

  cluster('cluster: unregister what is not there', 'unregister', { says: /Broker ID 5 is not currently registered/ }, [
    '--id',
    '5',
  ]),
  configs(
    'configs: a credential of a user',
    '--alter --entity-type users --entity-name ann --add-config SCRAM-SHA-256=[iterations=8192,password=pw]',
    { says: /Completed/ },
  ),
  configs('configs: describe users', '--describe --entity-type users', {
    says: /SCRAM-SHA-256=iterations=8192/,
    settles: true,
  }),
  configs('configs: describe users with clients', '--describe --entity-type users --entity-type clients'),
  configs('configs: describe clients', '--describe --entity-type clients'),
  configs('configs: describe addresses', '--describe --entity-type ips'),
  configs('configs: no credential any more', '--alter --entity-type users --entity-name ann --delete-config SCRAM-SHA-256', {
    says: /Completed/,
  }),
  configs('configs: no credential at all', '--alter --entity-type users --entity-name bob --delete-config SCRAM-SHA-256', {
    says: /does not exist/,
  }),

  elections('leader-election: of all', '--election-type preferred --all-topic-partitions'),
  elections('leader-election: an unclean one of all', '--election-type unclean --all-topic-partitions'),
  elections('leader-election: of one', '--election-type preferred --topic orders --partition 0', {
    says: /Valid replica already elected for partitions orders-0/,
  }),
  elections('leader-election: an unclean one of one', '--election-type unclean --topic orders --partition 1', {
    says: /Valid replica already elected/,
  }),
  elections('leader-election: some are not there', '--election-type preferred --path-to-json-file FILE', {
    file: '{"partitions":[{"topic":"orders","partition":0},{"topic":"orders","partition":99},{"topic":"nowhere","partition":0}]}',
    read: sorted,
    says: /No such partition as orders-99/,
  }),
  reassignments('reassign-partitions: a plan', '--generate --broker-list 1 --topics-to-move-json-file FILE', {
    file: '{"topics":[{"topic":"orders"}],"version":1}',
    says: /Proposed partition reassignment/,
  }),
  reassignments('reassign-partitions: to where it is', '--execute --reassignment-json-file FILE', {
    file: moved([1]),
    says: /Successfully started partition reassignment for orders-0/,
  }),
  reassignments(
    'reassign-partitions: with throttles',
    '--execute --throttle 1000 --replica-alter-log-dirs-throttle 500 --reassignment-json-file FILE',
    { file: moved([1]), says: /The inter-broker throttle limit was set to 1000/ },
  ),
  configs('configs: describe a throttled broker', '--describe --broker 1', { says: /leader\.replication\.throttled\.rate=1000/ }),
  reassignments('reassign-partitions: verify, throttles stay', '--verify --preserve-throttles --reassignment-json-file FILE', {
    file: moved([1]),
    says: /is completed/,
  }),
  reassignments('reassign-partitions: verify', '--verify --reassignment-json-file FILE', {
    file: moved([1]),
    says: /Clearing broker-level throttles/,
  }),
  configs('configs: describe a broker that is not throttled any more', '--describe --broker 1'),
  reassignments('reassign-partitions: cancel', '--cancel --reassignment-json-file FILE', {
    file: moved([1]),
    says: /None of the specified partition reassignments are active/,
  }),
  reassignments('reassign-partitions: to a broker that is not there', '--execute --reassignment-json-file FILE', {
    file: moved([2]),
    says: /Unknown broker id 2/,
  }),
  reassignments('reassign-partitions: to a directory that is not there', '--execute --reassignment-json-file FILE', {
    file: moved([1], '/nowhere'),
    read: (all) => all.filter((line) => !/^\s+(at |\.\.\. )/.test(line)),
    says: /LogDirNotFound/,
  }),
  reassignments('reassign-partitions: list', '--list', { says: /No partition reassignments found/ }),
  quorum('metadata-quorum: status', 'describe --status', { masks: QUORUM, says: /CurrentVoters: \[\{"id": 1/ }),
  quorum('metadata-quorum: replication', 'describe --replication', { masks: QUORUM, says: /1 ID N 0 N N Leader/ }),
  acls('acls: list', '--list', { says: /No Authorizer is configured on the broker/ }),
  acls('acls: add', '--add --allow-principal User:a --operation Read --topic orders', { says: /No Authorizer is configured/ }),
  acls('acls: remove', '--remove --force --allow-principal User:a --operation Read --topic orders', {
    says: /No Authorizer is configured/,
  }),
  tokens('delegation-tokens: create', '--create --max-life-time-period -1 --command-config /dev/null', {
    says: /Delegation Token requests are not allowed/,
  }),
  tokens('delegation-tokens: describe', '--describe --command-config /dev/null', { says: /not allowed/ }),
  tokens('delegation-tokens: renew', '--renew --renew-time-period -1 --hmac AAAA --command-config /dev/null', {
    says: /not allowed/,
  }),
  tokens('delegation-tokens: expire', '--expire --expiry-time-period -1 --hmac AAAA --command-config /dev/null', {
    says: /not allowed/,
  }),

  topics('topics: create for figures', '--create --topic figures --partitions 1', { says: /Created/ }),
  producerPerf(
    'producer-perf-test',
    '--topic figures --num-records 5000 --record-size 100 --throughput -1 --command-property acks=all',
    { masks: FIGURES, says: /5000 records sent/ },
  ),
  consumerPerf('consumer-perf-test', '--topic figures --num-records 5000 --timeout 20000', {
    read: (all) => all.map(perfLine),
    says: /0\.4768, F, 5000/,
  }),
  {
    title: 'end-to-end latency',
    main: `${TOOLS}.EndToEndLatency`,
    args: ['ADDRESS', 'latency', '200', 'all', '100'],
    masks: FIGURES,
    says: /Percentiles: 50th/,
  },
  offsets('get-offsets: after the figures', '--topic-partitions figures,latency', { says: /figures:0:5000[\s\S]*latency:0:200/ }),
  groups('consumer-groups: those of the figures', '--list', {
    masks: [[/(?<=-)\d+/g, 'N']],
    read: sorted,
  }),

  topics('topics: create for verification', '--create --topic verified --partitions 1', { says: /Created/ }),
  verifiableProducer('verifiable producer', '--topic verified --max-messages 500 --acks -1', {
    alone: true,
    masks: TIMES,
    read: sorted,
    says: /"acked":500/,
  }),
  verifiableProducer(
    'verifiable producer, with keys and times of its own',
    '--topic verified --max-messages 20 --repeating-keys 3 --value-prefix 7 --message-create-time 1700000000000',
    {
      alone: true,
      masks: TIMES,
      read: sorted,
      says: /"acked":20/,
    },
  ),
  verifiableConsumer('verifiable consumer', '--topic verified --group-id verifiers --max-messages 520', {
    alone: true,
    masks: TIMES,
    read: consumption,
    says: /520 records consumed/,
  }),
  groups('consumer-groups: what the verifiable consumer committed', '--describe --group verifiers', {
    says: /verified 0 520 520 0/,
  }),

  levels('features: what there is', /transaction\.version .*FinalizedVersionLevel: 2/),
  features('features: what comes with a release', 'version-mapping --release-version 4.0', { says: /group\.version=1/ }),
  features('features: what comes with no release', 'version-mapping --release-version 9.9', { says: /9\.9/ }),
  features('features: dependencies', 'feature-dependencies --feature eligible.leader.replicas.version=1', {
    says: /metadata\.version=23/,
  }),
  features('features: to the level it has', 'upgrade --feature transaction.version=2', { says: /was upgraded to 2/ }),
  features('features: to a level that is none', 'upgrade --feature transaction.version=9', {
    says: /only supports versions 0-2/,
  }),
  features('features: one that is none', 'upgrade --feature no.such.version=1', { says: /no\.such\.version/ }),
  features('features: up is not down', 'downgrade --feature transaction.version=9', { says: /Could not downgrade/ }),
  features('features: tried', 'downgrade --feature transaction.version=1 --dry-run', { says: /can be downgraded to 1/ }),
  levels('features: as before', /transaction\.version .*FinalizedVersionLevel: 2/),
  features('features: downgrade', 'downgrade --feature transaction.version=1', { says: /was downgraded to 1/ }),
  levels('features: at level 1', /transaction\.version .*FinalizedVersionLevel: 1/),
  features('features: disable, unsafely', 'disable --feature transaction.version --unsafe', { says: /was disabled/ }),
  levels('features: off', /transaction\.version .*FinalizedVersionLevel: 0/),
  verifiableProducer('verifiable producer, idempotent at transaction.version 0', '--topic verified --max-messages 50 --acks -1', {
    alone: true,
    masks: TIMES,
    read: sorted,
    says: /"acked":50/,
  }),
  features('features: several at once', 'upgrade --feature transaction.version=2 --feature eligible.leader.replicas.version=1', {
    says: /transaction\.version was upgraded to 2/,
  }),
  levels('features: on again', /transaction\.version .*FinalizedVersionLevel: 2/),
  features('features: an older release', 'downgrade --release-version 4.0', { read: firstWord, says: /Could/ }),
  features('features: metadata.version down', 'downgrade --metadata 4.0', { says: /might delete metadata information/ }),
  features('features: metadata.version down, unsafely', 'downgrade --metadata 3.9 --unsafe', {
    says: /Unsafe metadata downgrade/,
  }),
  features('features: metadata.version that is older, up', 'upgrade --metadata 4.3-IV0', { says: /Could not upgrade/ }),
  features('features: the quorum down', 'disable --feature kraft.version', { says: /Can't downgrade/ }),

  topics('topics: delete', '--delete --topic figures'),
  topics('topics: delete what does not exist', '--delete --topic figures', { says: /does not exist/ }),
  topics('topics: list at the end', '--list'),
];

/** Which of several features is refused first follows from which of them there are. */
function firstWord(all: string[]): string[] {
  return all.map((line) => line.split(/(?<=to \d+)\./)[0] ?? '');
}

/** `start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, ...`: the data stay. */
function perfLine(line: string): string {
  const columns = line.split(', ');
  if (!/^\d{4}-/.test(line)) return line;
  return columns.map((column, i) => (i === 2 || i === 4 ? column : 'F')).join(', ');
}
