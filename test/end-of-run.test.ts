/** What a test leaves behind does not keep the run alive, nor processes that were started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';

const END_OF_RUN = new URL('./support/end-of-run.js', import.meta.url).href;
const OWN_CHILDREN = new URL('./support/own-children.js', import.meta.url).href;

async function ended(
  program: string,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => void (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (said.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

describe('A run of the tests', () => {
  const giveUp = `import { endWithin } from '${END_OF_RUN}'; endWithin(50);`;

  it('is ended where something is left, which is named', async () => {
    const { code, stderr } = await ended(`${giveUp} setInterval(() => undefined, 1000);`);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^Still there 50 ms after the last test: .*Timeout/);
  });

  it('ends by itself where nothing is', async () => {
    expect(await ended(giveUp)).to.deep.equal({ code: 0, stdout: '', stderr: '' });
  });

  it('takes the processes with it that it has started', async () => {
    // What was started shares the output, so that this is not at its end before both are.
    const { code } = await ended(`
      import { spawn } from 'node:child_process';
      import { endsWithThis } from '${OWN_CHILDREN}';
      const forever = ['--eval', 'setInterval(() => undefined, 1000)'];
      endsWithThis(spawn(process.execPath, forever, { stdio: ['ignore', 'inherit', 'inherit'] })).once('spawn', () => process.exit(7));
    `);
    expect(code).to.equal(7);
  });
});
