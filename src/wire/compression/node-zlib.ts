/** node:zlib, loaded when it is first asked for: a broker starts, and many live, without what is packed with gzip and without old message sets. */
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';

let loaded: typeof Zlib | undefined;

export function nodeZlib(): typeof Zlib {
  loaded ??= createRequire(import.meta.url)('node:zlib') as typeof Zlib;
  return loaded;
}
