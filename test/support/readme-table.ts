/** The README's table of requests, computed from what ApiVersions answers. */
import { advertisedApis, HANDLERS } from '../../src/api/table.ts';
import { APIS } from '../../src/wire/generated/apis.ts';
import { withPart } from './generated-part.ts';

function apiTable(): string {
  const names = new Map(Object.values(APIS).map(({ key, name }) => [key, name]));
  const rows = advertisedApis(HANDLERS).map(
    ({ apiKey, minVersion, maxVersion }) => `| ${apiKey} | ${names.get(apiKey)} | ${minVersion}-${maxVersion} |`,
  );
  return ['| key | request | versions |', '|---|---|---|', ...rows].join('\n');
}

/** The README with the table as it has to be. */
export function withTable(readme: string): string {
  return withPart(readme, 'apis', apiTable());
}
