/** @file Words of private items, kept out of results: they lie beside them in the run's folder, and nothing that takes results takes them. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { atomicWriteJson } from '../io/atomic.ts';
import { readJson } from '../io/json.ts';
import type { ResultLatents } from '../schema/latents.generated.ts';
import type { Result } from '../schema/result.generated.ts';

/** A value of details, by the names and places that lead to it. */
type Held = [path: (string | number)[], value: unknown];

/** Details without the fields of these names, at any depth, and what these hold. Without names: without anything. */
export function partedDetails(details: unknown, words: readonly string[] | undefined): { kept: unknown; held: Held[] } {
  if (words === undefined) return { kept: undefined, held: details === undefined ? [] : [[[], details]] };
  const held: Held[] = [];
  const part = (value: unknown, path: Held[0]): unknown => {
    if (Array.isArray(value)) return value.map((entry, i) => part(entry, [...path, i]));
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(([name, own]) => {
      if (words.includes(name) && own !== undefined) held.push([[...path, name], own]);
      return !words.includes(name);
    });
    return Object.fromEntries(kept.map(([name, own]) => [name, part(own, [...path, name])]));
  };
  return { kept: part(details, []), held };
}

/** Latents whose items are named by their ids alone: of a task that knows private items they are so already. */
export const withoutItems = ({ images: _images, ...given }: ResultLatents): ResultLatents => ({
  ...given,
  private: true,
  latents: given.latents.map((latent) => ({
    ...latent,
    examples: latent.examples.map(({ item, value }) => ({ item, value })),
  })),
});

/** `<out>/texts/…`, named as the result. */
function heldFile(out: string, resultFile: string): string {
  return join(out, 'texts', relative(join(out, 'results'), resultFile));
}

/** Writes what a result does not hold, or removes what an earlier one left. */
export async function writeHeld(out: string, resultFile: string, key: string, held: readonly Held[]): Promise<void> {
  const file = heldFile(out, resultFile);
  if (held.length > 0) await atomicWriteJson(file, { key, held }, { durable: false });
  else await rm(file, { force: true });
}

/** The result with the words that its run's folder holds of it; itself where there are none, or they are of another. */
export async function withHeld(out: string, resultFile: string, result: Result): Promise<Result> {
  const file = heldFile(out, resultFile);
  if (!result.dataset.privateItems || !existsSync(file)) return result;
  const { key, held } = (await readJson(file, 'texts')) as { key?: unknown; held?: Held[] };
  if (key !== result.key || !Array.isArray(held)) return result;
  const whole = { details: structuredClone(result.details ?? {}) as unknown };
  for (const [path, value] of held) put(whole, ['details', ...path], value);
  return { ...result, details: whole.details as NonNullable<Result['details']> };
}

/** Puts a value where a path leads, as far as there is such a place. */
function put(whole: object, path: Held[0], value: unknown): void {
  let at: Record<string | number, unknown> = whole as Record<string, unknown>;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(at, name) || typeof at[name] !== 'object' || at[name] === null) return;
    at = at[name] as Record<string | number, unknown>;
  }
  Object.defineProperty(at, path.at(-1)!, { value, enumerable: true, configurable: true, writable: true });
}
