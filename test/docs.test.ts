/** docs/ says what the command and the broker take. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const flagsIn = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]+/g))].sort();

describe('docs/', () => {
  it('command.md has every flag and command of the help, and no other', () => {
    const help = execFileSync(process.execPath, ['build/bin/main.cjs', '--help'], { encoding: 'utf8' });
    const document = readFileSync('docs/command.md', 'utf8');
    expect(flagsIn(document)).to.deep.equal(flagsIn(help));
    const commandsIn = (text: string, mark: string) =>
      [...text.matchAll(new RegExp(`^${mark}blumfeld ([a-z]+)`, 'gm'))].map(([, name]) => name);
    expect(commandsIn(document, '## ')).to.deep.equal(commandsIn(help, ' {2}'));
  });

  it('the help has every flag of start', () => {
    const help = readFileSync('src/cli/main.ts', 'utf8');
    const source = readFileSync('src/cli/start.ts', 'utf8');
    const options = /const OPTIONS = \{([\s\S]*?)\} as const/.exec(source)?.[1] ?? '';
    const flags = [...options.matchAll(/^ {2}'?([a-z-]+)'?: \{/gm)].map(([, name]) => `--${name}`);
    expect(flags).to.include('--port');
    expect(flags.filter((flag) => !help.includes(`${flag} `))).to.deep.equal([]);
  });

  it('testing.md has every option of Broker.start', () => {
    const declared =
      /export interface BrokerOptions \{([\s\S]*?)^\}/m.exec(readFileSync('src/broker/broker.ts', 'utf8'))?.[1] ?? '';
    const options = [...declared.matchAll(/^ {2}readonly (\w+)\?/gm)].map(([, name]) => `| \`${name}\` |`);
    expect(options).to.include('| `port` |');
    const document = readFileSync('docs/testing.md', 'utf8');
    expect(options.filter((row) => !document.includes(row))).to.deep.equal([]);
  });
});
