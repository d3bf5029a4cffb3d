/** The README's table of requests, computed from what ApiVersions answers. */
import { advertisedApis, HANDLERS } from '../../src/api/table.ts';
import { APIS } from '../../src/wire/generated/apis.ts';

const BEGIN = '<!-- apis -->';
const END = '<!-- /apis -->';

export function apiTable(): string {
  const names = new Map(Object.values(APIS).map(({ key, name }) => [key, name]));
  const rows = advertisedApis(HANDLERS).map(
    ({ apiKey, minVersion, maxVersion }) => `| ${apiKey} | ${names.get(apiKey)} | ${minVersion}-${maxVersion} |`,
  );
  return ['| key | request | versions |', '|---|---|---|', ...rows].join('\n');
}

/** `readme` with the table between its marks. */
export function withTable(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the README has no ${BEGIN} before ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${apiTable()}\n${readme.slice(end)}`;
}
