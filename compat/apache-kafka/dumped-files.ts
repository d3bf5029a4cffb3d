/** Every file of a data directory through Apache Kafka's dump tool, with its checks of indexes, and records of internal topics decoded. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ToolServer } from './tool-server.ts';

type Check = (name: string, fault: string | undefined) => void;

const DUMP = 'org.apache.kafka.tools.DumpLogSegments';
const FAULTS = /mismatch|Non-consecutive|out of order|isvalid: false|not monotonically|Exception|ERROR|corrupt/i;
/** The tool counts from -1 in every file, so that the first record of a later segment seems to leave a gap. */
const BEGINNINGS = /^Non-consecutive offsets in .*\n {2}-1 is followed by \d+\n(?! )/gm;
/** Of one run, whose arguments have a longest length. */
const MOST_FILES = 150;

/**
 * Files below `folder` with one of the endings that the dump tool reads. Those of deleted partitions are not looked at: Apache Kafka leaves their indexes as
 * long as it had allocated them, and its own tool stumbles over them.
 */
function written(folder: string, endings: readonly string[]): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('-delete/'))
    .sort();
}

interface Kind {
  readonly name: string;
  readonly files: readonly string[];
  readonly options: readonly string[];
  /** Compaction leaves gaps. */
  readonly gaps?: boolean;
}

function kindsIn(dataDir: string, compacted: RegExp): Kind[] {
  const logs = written(dataDir, ['.log']).filter((path) => statSync(path).size > 0);
  const of = (topic: string): string[] => logs.filter((path) => path.includes(`/${topic}-`));
  const whole = ['--deep-iteration', '--print-data-log'];
  const user = logs.filter((path) => !path.includes('/__'));
  const indexes = written(dataDir, ['.index', '.timeindex']).filter((path) => !path.includes('/__cluster_metadata'));
  return [
    { name: 'reads every log', files: user.filter((path) => !compacted.test(path)), options: whole },
    { name: 'reads every compacted log', files: user.filter((path) => compacted.test(path)), options: whole, gaps: true },
    { name: 'decodes __consumer_offsets', files: of('__consumer_offsets'), options: [...whole, '--offsets-decoder'], gaps: true },
    {
      name: 'decodes __transaction_state',
      files: of('__transaction_state'),
      options: [...whole, '--transaction-log-decoder'],
      gaps: true,
    },
    {
      name: 'decodes __cluster_metadata',
      files: written(dataDir, ['.log', '.checkpoint']).filter((path) => path.includes('/__cluster_metadata')),
      options: ['--cluster-metadata-decoder'],
    },
    { name: 'finds every index sane', files: indexes, options: ['--index-sanity-check'] },
    { name: 'verifies every index against its log', files: indexes, options: ['--verify-index-only'] },
    { name: 'reads every producer snapshot', files: written(dataDir, ['.snapshot']), options: [] },
    {
      name: 'reads every index of aborted transactions',
      files: written(dataDir, ['.txnindex']).filter((path) => statSync(path).size > 0),
      options: [],
    },
  ];
}

/** What the tool printed of the logs of users. `compacted` tells paths of logs that may have gaps; kinds of file that are not there are passed over. */
export async function dumpEveryFile(
  tools: ToolServer,
  dataDir: string,
  check: Check,
  compacted = /\/(?:compacted|keyed)-/,
): Promise<string> {
  let logs = '';
  for (const { name, files, options, gaps = false } of kindsIn(dataDir, compacted)) {
    if (files.length === 0) continue;
    let text = '';
    let code = 0;
    for (let at = 0; at < files.length; at += MOST_FILES) {
      const said = await tools.run(DUMP, ['--files', files.slice(at, at + MOST_FILES).join(','), ...options]);
      text += said.stdout + said.stderr;
      code ||= said.code;
    }
    if (name === 'reads every log') logs = text;
    const fault = text
      .replaceAll(BEGINNINGS, '')
      .split('\n')
      .find((line) => FAULTS.test(line) && !(gaps && /Non-consecutive/.test(line)));
    check(
      `dump tool ${name}: ${files.length} files`,
      fault ?? (code === 0 ? undefined : `exit code ${code}: ${text.slice(-500)}`),
    );
  }
  return logs;
}
