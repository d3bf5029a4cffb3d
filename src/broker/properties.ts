/**
 * Java's properties format, as `server.properties` is written in: `=`, `:` or blanks between key and value, `#` and `!` comments, a backslash at the end
 * of a line joins the next one, and the escapes \t \n \r \f \uXXXX. The last of equal keys counts.
 */
import { SettingsError } from './settings-error.ts';

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Raises SettingsError, naming `origin` and the line, for a \u escape without four hexadecimal digits. */
export function parseProperties(text: string, origin: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const { line, number } of logicalLines(text)) {
    const [key, value] = splitEntry(line);
    const where = `${origin}, line ${number}`;
    entries.set(unescape(key, where), unescape(value, where));
  }
  return entries;
}

function* logicalLines(text: string): Iterable<{ readonly line: string; readonly number: number }> {
  let joined: string | undefined;
  let start = 0;
  const lines = text.split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/^[ \t\f]+/, '');
    if (joined === undefined) {
      if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
      start = index + 1;
    }
    const goesOn = endsInOpenBackslash(line);
    joined = (joined ?? '') + (goesOn ? line.slice(0, -1) : line);
    if (goesOn && index < lines.length - 1) continue;
    yield { line: joined, number: start };
    joined = undefined;
  }
}

function endsInOpenBackslash(line: string): boolean {
  let backslashes = 0;
  while (line[line.length - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** The key ends at the first `=`, `:` or blank that is not escaped. */
function splitEntry(line: string): [string, string] {
  let end = 0;
  while (end < line.length && !/[=: \t\f]/.test(line[end] as string)) end += line[end] === '\\' ? 2 : 1;
  const key = line.slice(0, end);
  return [key, line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')];
}

function unescape(text: string, where: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:u(.{0,4})|([\s\S])|$)/g, (_all, hex: string | undefined, character: string | undefined) => {
    if (hex === undefined) return character === undefined ? '' : (ESCAPES[character] ?? character);
    if (!/^[0-9a-fA-F]{4}$/.test(hex))
      throw new SettingsError(`${where}: \\u${hex} is no character; write \\u and four hexadecimal digits`);
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
}
