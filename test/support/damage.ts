/** One thing that goes wrong with one file. */
import type { SeededRandom } from '../sim/seeded-random.ts';
import type { FakeFiles } from '../sim/fake-files.ts';

export type Damage =
  | { readonly kind: 'flipped'; readonly path: string; readonly at: number; readonly mask: number }
  | { readonly kind: 'truncated'; readonly path: string; readonly size: number }
  | { readonly kind: 'emptied'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string };

/** Mostly a byte; a file without bytes can only go missing. */
export function drawDamage(files: FakeFiles, path: string, random: SeededRandom): Damage {
  const size = files.stat(path)?.size ?? 0;
  const way = random.below(10);
  if (size === 0 || way === 0) return { kind: 'missing', path };
  if (way === 1) return { kind: 'emptied', path };
  if (way <= 3) return { kind: 'truncated', path, size: random.below(size) };
  return { kind: 'flipped', path, at: random.below(size), mask: 1 + random.below(255) };
}

export function doDamage(files: FakeFiles, damage: Damage): void {
  const { path } = damage;
  if (damage.kind === 'missing') return files.remove(path);
  if (damage.kind === 'emptied') return files.writeFile(path, '');
  const bytes = files.readFile(path);
  if (damage.kind === 'truncated') return files.writeFile(path, bytes.subarray(0, damage.size));
  bytes[damage.at] = (bytes[damage.at] ?? 0) ^ damage.mask;
  files.writeFile(path, bytes);
}
