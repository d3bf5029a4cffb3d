import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { HANDLERS } from '../../src/api/table.ts';
import type { ApiName } from '../../src/wire/generated/apis.ts';
import { SERVER_APIS } from '../../src/wire/generated/server-apis.ts';
import { servedApi } from '../../src/wire/header.ts';

const fileOf = (name: string): string => `src/api/${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;

describe('The table of handlers', () => {
  for (const [name, handler] of Object.entries(HANDLERS)) {
    if (handler === null) continue;
    it(`has ${name} in the versions that its contract says`, () => {
      const served = servedApi(SERVER_APIS[name as ApiName].key);
      const { minVersion = -1, maxVersion = -1 } = served ?? {};
      const versions =
        minVersion === maxVersion
          ? `version ${minVersion}`
          : `versions ${minVersion} ${maxVersion === minVersion + 1 ? 'and' : 'to'} ${maxVersion}`;
      const [, contract = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(fileOf(name), 'utf8')) ?? [];
      expect(contract.trim().replace(/^\* /, '')).to.match(
        new RegExp(`^${name[0]?.toUpperCase()}${name.slice(1)}, ${versions}\\b`),
      );
    });
  }
});
