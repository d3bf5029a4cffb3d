/** Every generated codec with the schema it came from, so that one test can go over all of them. */
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { CONTROL_RECORDS } from '../../src/wire/generated/records/control.ts';
import { EMBEDDED_RECORDS } from '../../src/wire/generated/records/embedded.ts';
import { FILE_RECORDS } from '../../src/wire/generated/records/file.ts';
import { GROUP_RECORDS } from '../../src/wire/generated/records/group.ts';
import { METADATA_RECORDS } from '../../src/wire/generated/records/metadata.ts';
import { REMOTE_LOG_RECORDS } from '../../src/wire/generated/records/remote-log.ts';
import { SHARE_RECORDS } from '../../src/wire/generated/records/share.ts';
import { TRANSACTION_RECORDS } from '../../src/wire/generated/records/transaction.ts';
import { readRequestHeader, writeRequestHeader } from '../../src/wire/generated/request-header.ts';
import { readResponseHeader, writeResponseHeader } from '../../src/wire/generated/response-header.ts';
import type { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { apiSchemas, headerSchema, recordSchemas, type Schema } from './protocol-data.ts';

export interface Codec {
  readonly read: (r: Reader, v: number) => object;
  readonly write: (w: Writer, m: object, v: number) => void;
}

export interface NamedCodec extends Codec {
  readonly name: string;
  readonly side: 'request' | 'response' | 'header' | 'key' | 'value';
  readonly family: string;
  readonly schema: Schema;
  readonly versions: readonly number[];
}

interface RecordCodec {
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly read?: Codec['read'];
  readonly write?: Codec['write'];
  readonly readKey?: Codec['read'];
  readonly writeKey?: Codec['write'];
  readonly readValue?: Codec['read'];
  readonly writeValue?: Codec['write'];
}

const RECORDS = {
  control: CONTROL_RECORDS,
  embedded: EMBEDDED_RECORDS,
  file: FILE_RECORDS,
  group: GROUP_RECORDS,
  metadata: METADATA_RECORDS,
  remoteLog: REMOTE_LOG_RECORDS,
  share: SHARE_RECORDS,
  transaction: TRANSACTION_RECORDS,
} as unknown as { readonly [family: string]: { readonly [name: string]: RecordCodec } };

export const FAMILIES = Object.keys(RECORDS);

const range = (min: number, max: number): number[] => Array.from({ length: max - min + 1 }, (_, i) => min + i);
const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function messageCodecs(): NamedCodec[] {
  const served = apiSchemas().filter((schema) => schema.versions !== 'none');
  return served.flatMap((schema): NamedCodec[] => {
    const api = APIS[lower(schema.name) as ApiName] as unknown as Api;
    const versions = range(api.minVersion, api.maxVersion);
    const common = { name: schema.name, family: 'messages', versions } as const;
    return [
      { ...common, side: 'request', schema: schema.request, read: api.readRequest, write: api.writeRequest },
      {
        ...common,
        side: 'response',
        schema: schema.response,
        read: api.readResponse,
        write: api.writeResponse,
      },
    ];
  });
}

function headerCodecs(): NamedCodec[] {
  const common = { family: 'headers', side: 'header' } as const;
  return [
    {
      ...common,
      name: 'RequestHeader',
      schema: headerSchema('request-header'),
      versions: [1, 2],
      read: readRequestHeader,
      write: writeRequestHeader as Codec['write'],
    },
    {
      ...common,
      name: 'ResponseHeader',
      schema: headerSchema('response-header'),
      versions: [0, 1],
      read: readResponseHeader,
      write: writeResponseHeader as Codec['write'],
    },
  ];
}

function recordCodecs(): NamedCodec[] {
  return recordSchemas().flatMap((schema): NamedCodec[] => {
    const { name, family } = schema;
    const codec = RECORDS[family]?.[name];
    if (codec === undefined) throw new Error(`no codec for ${name} of ${family}`);
    const versions = range(codec.minVersion, codec.maxVersion);
    if (codec.read && codec.write)
      return [{ name, family, side: 'value', schema, versions, read: codec.read, write: codec.write }];
    if (!schema.keySchema || !schema.valueSchema || !codec.readKey || !codec.writeKey || !codec.readValue || !codec.writeValue) {
      throw new Error(`${name} has no key or value`);
    }
    return [
      { name, family, side: 'key', schema: schema.keySchema, versions: [0], read: codec.readKey, write: codec.writeKey },
      { name, family, side: 'value', schema: schema.valueSchema, versions, read: codec.readValue, write: codec.writeValue },
    ];
  });
}

/** All messages, headers and records. */
export const CODECS: readonly NamedCodec[] = [...messageCodecs(), ...headerCodecs(), ...recordCodecs()];

export function codecOf(name: string, side: NamedCodec['side']): NamedCodec {
  const codec = CODECS.find((c) => c.name === name && c.side === side);
  if (codec === undefined) throw new Error(`no codec for the ${side} of ${name}`);
  return codec;
}

export function written(codec: Codec, message: object, version: number): Buffer {
  const w = new Writer();
  codec.write(w, message, version);
  return w.concat();
}
