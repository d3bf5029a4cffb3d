/** `meta.properties` of a data directory, version 1: whose it is. Text as java.util.Properties writes it. */
import { dirname } from 'node:path';
import type { Files } from '../world/files.ts';
import { parseDirectoryName } from './partition-directory-name.ts';

export const META_PROPERTIES_FILE = 'meta.properties';

export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As java.util.Date prints it, in UTC. */
function javaDate(nowMs: number): string {
  const date = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${time} UTC ${date.getUTCFullYear()}`;
}

export function formatMetaProperties(o: MetaProperties, nowMs: number): string {
  const lines = [
    '#',
    `#${javaDate(nowMs)}`,
    `node.id=${o.nodeId}`,
    `directory.id=${o.directoryId}`,
    'version=1',
    `cluster.id=${o.clusterId}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Undefined when the directory was never formatted. Throws an Error that says what is wrong with the file. */
export function readMetaProperties(files: Files, directory: string): MetaProperties | undefined {
  const path = `${directory}/${META_PROPERTIES_FILE}`;
  if (files.stat(path) === undefined) return undefined;
  const values = new Map<string, string>();
  for (const line of files.readFile(path).toString('utf8').split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const need = (name: string): string => {
    const value = values.get(name);
    if (value === undefined || value === '')
      throw new Error(`${path} has no ${name}; restore the file or format the directory anew`);
    return value;
  };
  if (need('version') !== '1')
    throw new Error(`${path} is of version ${need('version')}, and only 1 can be read; restore the file`);
  const nodeId = Number(need('node.id'));
  if (!Number.isInteger(nodeId) || nodeId < 0)
    throw new Error(`${path} has node.id ${JSON.stringify(need('node.id'))}, which is no node id; restore the file`);
  return { clusterId: need('cluster.id'), nodeId, directoryId: need('directory.id') };
}

/**
 * Writes whose the directory is where nothing says so yet; else reads it. Throws an Error that names the directory when it is another node's or
 * cluster's.
 */
export async function settleIdentity(
  files: Files,
  directory: string,
  identity: MetaProperties,
  nowMs: number,
): Promise<MetaProperties> {
  const stored = readMetaProperties(files, directory);
  if (stored === undefined) {
    const partition = files.list(directory).find((entry) => entry.directory && parseDirectoryName(entry.name) !== undefined);
    if (partition !== undefined) {
      throw new Error(
        `${directory} holds ${partition.name} but no ${META_PROPERTIES_FILE}: restore that file, or name another directory; it says whose data this is`,
      );
    }
    await Promise.all([
      files.replaceFile(`${directory}/${META_PROPERTIES_FILE}`, formatMetaProperties(identity, nowMs)),
      // The directory may be new as well, and is not to be lost with all that will be acknowledged in it.
      files.syncDirectory(dirname(directory)),
    ]);
    return identity;
  }
  if (stored.nodeId !== identity.nodeId) {
    throw new Error(
      `${directory} belongs to node ${stored.nodeId}, but node.id is ${identity.nodeId}; correct node.id or name another directory`,
    );
  }
  if (stored.clusterId !== identity.clusterId) {
    throw new Error(`${directory} belongs to cluster ${stored.clusterId}, not ${identity.clusterId}; name another directory`);
  }
  return stored;
}
