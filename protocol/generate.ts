/**
 * Turns the contract in this folder into typed codecs under src/wire/generated/: for each message and record a TypeScript interface with the
 * protocol's own field names, and straight-line functions that read and write it at every version. Run by `make build`; the output is not committed.
 *
 * Shapes. `X` is what reading gives: every field is there, with its default where the version has none. `XDraft` is what writing takes: fields that
 * have a default, are tagged, ignorable or missing in some versions may be left out, int64 may be a safe integer, byte fields may be lists of buffers.
 * int64 is read as bigint, uuid as base64url, bytes and records as views. A set value that has no place in the version being written is dropped when the
 * field is ignorable and raises RangeError otherwise.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { generateApis, generateHeaders } from './generator/apis.ts';
import { generateErrors, generateFacts, generateRelease } from './generator/facts.ts';
import { loadAll, TARGET } from './generator/files.ts';
import { generateRecords } from './generator/records.ts';
import type { Api, Rec } from './generator/schema.ts';

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
generateApis(loadAll<Api>('api'));
generateHeaders();
generateRecords(loadAll<Rec>('records'));
generateErrors();
generateRelease();
generateFacts();
