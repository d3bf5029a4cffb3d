/** Files that are text already: checkpoints as their entries, properties as names and values. */
import { readCheckpoint } from '../log/checkpoint-file.ts';
import type { Files } from '../world/files.ts';
import { type DumpItem, item } from './dump-item.ts';

function entriesOf(files: Files, path: string): string[][] {
  const entries = readCheckpoint(files, path);
  if (entries === undefined) throw new Error(`${path} is damaged: it has no version 0, or not as many lines as it says`);
  return entries;
}

export function* dumpOffsetCheckpoint(files: Files, path: string): Generator<DumpItem> {
  for (const [topic, partition, offset] of entriesOf(files, path)) {
    yield item({ topic, partition: Number(partition), offset: Number(offset) });
  }
}

export function* dumpLeaderEpochs(files: Files, path: string): Generator<DumpItem> {
  for (const [epoch, startOffset] of entriesOf(files, path))
    yield item({ epoch: Number(epoch), startOffset: Number(startOffset) });
}

/** `name=value` and `name: value` lines; comments are left out. */
export function* dumpProperties(files: Files, path: string): Generator<DumpItem> {
  const fields: { [name: string]: string } = {};
  for (const text of files.readFile(path).toString('utf8').split(/\r?\n/)) {
    const [, name, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(text) ?? [];
    if (name !== undefined) fields[name] = value ?? '';
  }
  yield item(fields);
}

export function* dumpJson(files: Files, path: string): Generator<DumpItem> {
  const text = files.readFile(path).toString('utf8');
  yield { text: text.trim(), json: parsed(text, path) };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${path} is damaged: it is no JSON`);
  }
}
