/** @file Typed arrays one behind another. */

/** What can be joined. */
type Numbers = Float32Array | Float64Array | Uint32Array;

/** All parts in order, in one new array of the given kind: `joined(Float32Array, parts)`. */
export function joined<T extends Numbers>(kind: new (length: number) => T, parts: readonly T[]): T {
  const all = new kind(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
