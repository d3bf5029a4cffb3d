/** The arguments of a command that looks at one path: `PATH [--json]`. */
import { parseArgs } from 'node:util';

export interface OnePath {
  readonly path: string;
  /** One JSON value per line is wanted, for programs. */
  readonly json: boolean;
}

/** Throws an Error that says what is wrong with them; `usage` is said where there is not one path. */
export function onePath(args: readonly string[], usage: string): OnePath {
  const { values, positionals } = parsed(args);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new Error(usage);
  return { path, json: values.json === true };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { json: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    // Of Node's three sentences the first says what is wrong.
    throw new Error(`${(error as Error).message.split('. ')[0]}; see blumfeld --help`, { cause: error });
  }
}
