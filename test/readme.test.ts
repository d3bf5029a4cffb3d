/** Documents say what the broker does. With `UPDATE=1` (`npm run docs`) they are made to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { withTable } from './support/readme-table.ts';
import { withSettings } from './support/settings-tables.ts';

function hasItsTables(path: string, withTables: (document: string) => string): void {
  const document = readFileSync(path, 'utf8');
  const wanted = withTables(document);
  if (process.env['UPDATE'] === '1') writeFileSync(path, wanted);
  else expect(document, 'npm run docs writes it').to.equal(wanted);
}

describe('the README', () => {
  it('has the table of requests that the broker advertises', () => hasItsTables('README.md', withTable));

  it('and docs/settings.md the settings that are acted on', () => hasItsTables('docs/settings.md', withSettings));
});
