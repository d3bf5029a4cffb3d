/** The rules of ARCHITECTURE.md that a machine can check. Reads the sources as text, so it needs no build and takes well under a second. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect } from 'chai';

interface Import {
  readonly from: string;
  /** The imported file, relative to the checkout; a package's name as it stands. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const SKIPPED = new Set(['node_modules', 'build', 'data', '.git', 'generated']);

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative('.', join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').some((part) => SKIPPED.has(part)))
    .sort();
}

/** Comments become spaces, so that a rule about code is not broken by a sentence; line numbers stay. */
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '));

const codeFiles = ['src', 'test', 'compat', 'protocol'].flatMap((folder) => filesBelow(folder, '.ts'));
const code = new Map(codeFiles.map((path) => [path, withoutComments(readFileSync(path, 'utf8'))]));
const documents = filesBelow('.', '.md');
const sources = codeFiles.filter((path) => path.startsWith('src/'));

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    found.push({ from: path, to: specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier, typeOnly });
  };
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gm))
    add(match[2] ?? '', match[1] !== undefined);
  for (const match of text.matchAll(/^\s*import\s+'([^']+)'/gm)) add(match[1] ?? '', false);
  for (const match of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) add(match[1] ?? '', false);
  for (const match of text.matchAll(/new URL\(\s*'(\.[^']+\.(?:ts|js))'/g)) add((match[1] ?? '').replace(/\.js$/, '.ts'), false);
  return found;
}

const imports = codeFiles.flatMap((path) => importsOf(path, code.get(path) ?? ''));
const importsByFile = groupByFile(imports);

function groupByFile(all: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const one of all) groups.set(one.from, [...(groups.get(one.from) ?? []), one]);
  return groups;
}

const roomOf = (path: string): string => path.split('/')[1] ?? '';

/** What the files of a room may import beside their own room. `types` stands for: only with `import type`. */
const ROOMS: Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }> = {
  world: { values: [], types: [] },
  wire: { values: [], types: [] },
  log: { values: ['wire'], types: ['world'] },
  machine: { values: ['wire'], types: [] },
  partition: { values: ['wire', 'log'], types: ['world', 'machine'] },
  host: { values: ['wire', 'log', 'partition', 'machine'], types: ['world'] },
  api: { values: ['wire'], types: ['machine'] },
  broker: { values: ['wire', 'log', 'partition', 'machine', 'host', 'api', 'world'], types: [] },
  console: { values: [], types: ['api', 'wire'] },
  cli: { values: ['wire', 'log', 'partition', 'machine', 'host', 'api', 'world', 'broker', 'console'], types: [] },
};

/** Files that may see further than their room. */
const FURTHER: Record<string, { readonly types: readonly string[] }> = {
  'src/api/context.ts': { types: ['host', 'log', 'machine', 'partition', 'world', 'wire'] },
};

/** The error that every room may have to tell apart is the one thing of world/ that is not an interface. */
const SHARED_VALUES = new Set(['src/world/files.ts']);

function misdirected(one: Import): boolean {
  if (!one.to.startsWith('src/')) return !/^(?:node:|[@a-z])/.test(one.to) || /(?:^|\/)(?:test|protocol|compat)\//.test(one.to);
  const [from, to] = [roomOf(one.from), roomOf(one.to)];
  if (from === to) return false;
  const rule = ROOMS[from];
  if (rule === undefined) return true;
  if (one.to.startsWith('src/world/node-')) return from !== 'broker' && from !== 'cli';
  if (rule.values.includes(to)) return false;
  if (one.typeOnly && (rule.types.includes(to) || (FURTHER[one.from]?.types.includes(to) ?? false))) return false;
  return !(SHARED_VALUES.has(one.to) && rule.types.includes('world'));
}

/** Lines of the files where `pattern` stands, as `path:line text`. */
function linesWith(paths: readonly string[], pattern: RegExp, textOf = (path: string): string => code.get(path) ?? ''): string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
  );
}

const withoutStrings = (path: string): string => (code.get(path) ?? '').replaceAll(/'[^'\n]*'|`[^`]*`|\/[^/\n]+\/[a-z]*/g, "''");

const outside = (...rooms: string[]): string[] => sources.filter((path) => !rooms.includes(roomOf(path)));

function reachableFrom(roots: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const waiting = [...roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const one of importsByFile.get(path) ?? []) waiting.push(one.to);
  }
  return seen;
}

/** One cycle among `paths`, as the files it leads through, or nothing. */
function cycleAmong(paths: readonly string[]): string[] {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const one of importsByFile.get(path) ?? []) {
      const cycle = code.has(one.to) ? visit(one.to, [...trail, path]) : [];
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of paths) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe('the house', () => {
  describe('imports', () => {
    it('point one way between the rooms of src', () => {
      const wrong = imports.filter((one) => one.from.startsWith('src/') && misdirected(one));
      expect(wrong.map((one) => `${one.from} -> ${one.to}`)).to.deep.equal([]);
    });

    it('know every room', () => {
      const rooms = new Set(sources.map(roomOf));
      expect([...rooms].filter((room) => ROOMS[room] === undefined)).to.deep.equal([]);
    });

    it('form no cycle', () => {
      expect(cycleAmong(codeFiles)).to.deep.equal([]);
    });

    it('go to files, never to a barrel, and never to or from a default export', () => {
      expect(codeFiles.filter((path) => path.endsWith('/index.ts'))).to.deep.equal([]);
      expect(linesWith(sources, /^\s*export \* from|^\s*export default/)).to.deep.equal([]);
    });

    it('name files that exist', () => {
      const missing = imports.filter(
        (one) => /^(?:src|test|compat|protocol)\//.test(one.to) && !one.to.includes('/generated/') && !existsSync(one.to),
      );
      expect(missing.map((one) => `${one.from} -> ${one.to}`)).to.deep.equal([]);
    });

    it('reach every file of src from the command line or the library, and every support file from a test', () => {
      const alive = reachableFrom(['src/cli/main.ts', 'src/broker/broker.ts']);
      const tests = codeFiles.filter((path) => path.endsWith('.test.ts') || path.startsWith('compat/'));
      const used = reachableFrom(tests);
      // Invariants of storage and machines are functions that tests and simulations call after every step.
      const kept = (path: string): boolean => alive.has(path) || (path.endsWith('/invariants.ts') && used.has(path));
      expect(sources.filter((path) => !kept(path))).to.deep.equal([]);
      expect(codeFiles.filter((path) => path.startsWith('test/') && !used.has(path))).to.deep.equal([]);
    });

    it('are of what is exported, and what is exported is imported', () => {
      const wordsOf = new Map([...code].map(([path, text]) => [path, new Set(text.match(/\w+/g))]));
      const unused = sources.flatMap((path) => {
        const exported = (code.get(path) ?? '').matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm);
        const names = [...exported].map((match) => match[1] ?? '');
        return names
          .filter((name) => ![...wordsOf].some(([other, words]) => other !== path && words.has(name)))
          .map((name) => `${path}: ${name}`);
      });
      expect(unused).to.deep.equal([]);
    });
  });

  describe('only world/ touches the machine', () => {
    it('files, sockets, processes', () => {
      expect(
        linesWith(
          outside('world'),
          /'node:(?:fs|fs\/promises|net|tls|dgram|dns|http|https|http2|child_process|os|timers|timers\/promises)'/,
        ),
      ).to.deep.equal([]);
    });

    it('clocks and timers', () => {
      expect(
        linesWith(
          outside('world'),
          /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.(?:hrtime|nextTick|uptime)\b/,
        ),
      ).to.deep.equal([]);
      expect(linesWith(outside('world', 'cli'), /\bperformance\.\w+/)).to.deep.equal([]);
    });

    it('chance', () => {
      expect(
        linesWith(outside('world'), /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b/),
      ).to.deep.equal([]);
    });

    it('the process belongs to world, broker and cli', () => {
      expect(linesWith(outside('world', 'broker', 'cli'), /\bprocess\.\w+|\bconsole\.\w+/)).to.deep.equal([]);
    });
  });

  it('nothing is typed any, nothing is asserted to be there, and no checker is silenced', () => {
    expect(linesWith(codeFiles, /(?::\s*|<|\|\s*)any(?=\s*[;)=[>|])|\bas any\b|\bany\[\]/, withoutStrings)).to.deep.equal([]);
    const silenced = new RegExp(
      ['@ts-' + 'ignore', '@ts-' + 'expect-error', '@ts-' + 'nocheck', 'oxlint-' + 'disable', 'eslint-' + 'disable'].join('|'),
    );
    expect(linesWith(codeFiles, silenced, (path) => readFileSync(path, 'utf8'))).to.deep.equal([]);
  });

  it('every file of src but tables of data says why it exists', () => {
    expect(
      sources.filter((path) => !/^(?:#!.*\n)?(?:import[^;]*;\s*)*\/\*\*|^\/\*\*/.test(readFileSync(path, 'utf8'))),
    ).to.deep.equal([]);
  });

  it('tests stand where what they test stands', () => {
    const others = new Set(['support', 'compat', 'e2e', 'sim', 'hostile', 'fixtures', 'transcripts', 'protocol']);
    const lost = codeFiles.filter(
      (path) =>
        path.startsWith('test/') && path.split('/').length > 2 && !others.has(roomOf(path)) && ROOMS[roomOf(path)] === undefined,
    );
    expect(lost).to.deep.equal([]);
  });

  describe('documents', () => {
    it('name only paths that exist', () => {
      const missing: string[] = [];
      for (const document of documents) {
        const text = readFileSync(document, 'utf8');
        for (const match of text.matchAll(
          /`((?:\.ci|src|test|protocol|compat|docs)\/[\w./-]+)`|\]\((?!https?:|#|mailto:)([^)#\s]+)/g,
        )) {
          const path = match[1] ?? match[2] ?? '';
          const found = [path, join(dirname(document), path)].some((one) => existsSync(one) || one.includes('/generated'));
          if (!found) missing.push(`${document}: ${path}`);
        }
        for (const match of text.matchAll(/`([a-z]+\/[\w/-]+\.ts)`/g)) {
          const path = match[1] ?? '';
          if (![path, join('src', path)].some((one) => existsSync(one) || one.includes('/generated')))
            missing.push(`${document}: ${path}`);
        }
      }
      expect(missing).to.deep.equal([]);
    });

    it('and comments hold no path of one machine', () => {
      const path = new RegExp(
        [
          '/work' + '/',
          '/ro' + 'ot/',
          '/ho' + 'me/', // Apache Kafka's own default of log.dir is no place of this machine.
          '/tmp' + '/(?!kafka-logs)\\w',
          '/Us' + 'ers/',
          '~/\\.ca' + 'che',
        ].join('|'),
      );
      const texts = [...codeFiles, ...documents, ...filesBelow('compat', 'run'), 'Makefile', '.ci/run'].filter((one) =>
        existsSync(one),
      );
      expect(linesWith(texts, path, (one) => readFileSync(one, 'utf8'))).to.deep.equal([]);
    });
  });
});
