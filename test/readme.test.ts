/** The README says what the broker does. With `UPDATE=1` (`npm run docs`) it is made to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { withTable } from './support/readme-table.ts';

describe('the README', () => {
  it('has the table of requests that the broker advertises (npm run docs writes it)', () => {
    const readme = readFileSync('README.md', 'utf8');
    const wanted = withTable(readme);
    if (process.env['UPDATE'] === '1') writeFileSync('README.md', wanted);
    else expect(readme).to.equal(wanted);
  });
});
