/** `blumfeld dump FILE [--json]`: what a file of a data directory says; with --json one value per line, for programs. */
import { basename, dirname, resolve } from 'node:path';
import { parseDirectoryName } from '../log/partition-directory-name.ts';
import { offsetOfName } from '../log/segment-names.ts';
import type { Files } from '../world/files.ts';
import { NodeFiles } from '../world/node-files.ts';
import { dumpOffsetIndex, dumpSnapshot, dumpTimeIndex, dumpTransactionIndex } from './dump-index.ts';
import type { DumpItem } from './dump-item.ts';
import { dumpLog } from './dump-log.ts';
import { dumpJson, dumpLeaderEpochs, dumpOffsetCheckpoint, dumpProperties } from './dump-text.ts';
import { onePath } from './one-path.ts';
import { CLUSTER_METADATA_TOPIC } from '../wire/topic-name.ts';
import { CLEAN_SHUTDOWN_FILE } from '../log/clean-shutdown.ts';
import { CLEANER_FILE, HIGH_WATERMARK_FILE, LOG_START_FILE, RECOVERY_POINT_FILE } from '../log/checkpoints.ts';
import { OLDER_BOOTSTRAP_FILE } from '../host/metadata-bootstrap.ts';

/** A file that is being written, replaced or removed says the same under its longer name. */
const TEMPORARY_SUFFIX = /\.(deleted|cleaned|swap|part|tmp)$/;

type Kind = (files: Files, path: string, baseOffset: number, topic: string | undefined) => Iterable<DumpItem>;

const BY_SUFFIX: { readonly [suffix: string]: Kind } = {
  '.log': (files, path, _, topic) => dumpLog(files, path, topic),
  '.checkpoint': (files, path) => dumpLog(files, path, CLUSTER_METADATA_TOPIC),
  '.index': dumpOffsetIndex,
  '.timeindex': dumpTimeIndex,
  '.txnindex': dumpTransactionIndex,
  '.snapshot': (files, path) => dumpSnapshot(files, path),
};

const BY_NAME: { readonly [name: string]: Kind } = {
  // Of formatting tools before 4.4.
  [OLDER_BOOTSTRAP_FILE]: (files, path) => dumpLog(files, path, CLUSTER_METADATA_TOPIC),
  'leader-epoch-checkpoint': dumpLeaderEpochs,
  [RECOVERY_POINT_FILE]: dumpOffsetCheckpoint,
  [HIGH_WATERMARK_FILE]: dumpOffsetCheckpoint,
  [LOG_START_FILE]: dumpOffsetCheckpoint,
  [CLEANER_FILE]: dumpOffsetCheckpoint,
  'partition.metadata': dumpProperties,
  'meta.properties': dumpProperties,
  'quorum-state': dumpJson,
  [CLEAN_SHUTDOWN_FILE]: dumpJson,
};

/** What the file at `path` says. Throws an Error when it is of no kind that is known, or damaged. */
export function* dumpItems(files: Files, path: string): Generator<DumpItem> {
  const name = basename(path).replace(TEMPORARY_SUFFIX, '');
  const offset = offsetOfName(name.replace('-', '.'));
  const suffix = name.slice(name.lastIndexOf('.'));
  const kind = BY_NAME[name] ?? (offset === undefined ? undefined : BY_SUFFIX[suffix]);
  if (kind === undefined) {
    const known = [...Object.keys(BY_SUFFIX).map((each) => `OFFSET${each}`), ...Object.keys(BY_NAME)].join(', ');
    throw new Error(`${path} is no file that can be dumped; these can: ${known}`);
  }
  const topic = parseDirectoryName(basename(dirname(path)))?.topic;
  yield* kind(files, path, offset ?? 0, topic);
}

export async function dump(args: readonly string[]): Promise<number> {
  // A reader that has seen enough, such as `head`, closes the pipe.
  let isClosed = false;
  process.stdout.on('error', () => {
    isClosed = true;
  });
  try {
    const { path, json: asJson } = onePath(args, 'blumfeld dump FILE [--json] takes one file');
    for (const { text, json } of dumpItems(new NodeFiles(), resolve(path))) {
      if (isClosed) return 0;
      const shown = `${asJson ? JSON.stringify(json) : text}\n`;
      if (!process.stdout.write(shown)) await new Promise((ready) => process.stdout.once('drain', ready).once('error', ready));
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
