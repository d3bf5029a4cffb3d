/**
 * Patterns that clients send, in the syntax of RE2, as Apache Kafka reads them since KIP-848: no look-around, no back references, and no pattern that takes longer
 * than the text that it is matched with is long. Read by a package, loaded with the first pattern.
 */
import { createRequire } from 'node:module';

export interface Re2Pattern {
  /** The text as a whole, not a part of it. */
  matches(text: string): boolean;
}

interface Package {
  readonly RE2JS: { compile(pattern: string): Re2Pattern };
}

let loaded: Package | undefined;

/** Undefined when it is no pattern. */
export function re2Pattern(pattern: string): Re2Pattern | undefined {
  loaded ??= createRequire(import.meta.url)('re2js') as Package;
  try {
    return loaded.RE2JS.compile(pattern);
  } catch (error) {
    // Anything else is not the pattern's fault.
    if (error instanceof Error && error.constructor.name.includes('Syntax')) return undefined;
    throw error;
  }
}
