/** @file The kinds of failure: the user's (`UserError`, one plain line, exit code 2), a plug-in's, ours (the rest). */

/**
 * A mistake of the user or of the input. Printed as one plain line, without a stack, with exit code 2.
 * The message starts with the domain (`safetensors: …`, `suite default: …`) and states what was expected, what was
 * found and how to mend it.
 */
export class UserError extends Error {
  override name = 'UserError';
}

/** What a plug-in returned breaks its contract: a fault of the plug-in, not of the person who runs it. */
export class ContractError extends Error {
  override name = 'ContractError';
}

/** Levenshtein distance, for "did you mean". */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known names closest to `name`, best first; empty when none is near. */
export function suggest(name: string, known: readonly string[]): string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limit || candidate.startsWith(name))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** A `UserError` for an unknown name: what it was, the closest known names and the whole list. */
export function unknownName(kind: string, name: string, known: readonly string[]): UserError {
  const close = suggest(name, known);
  const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
  const available = known.length > 0 ? `Available: ${[...known].sort().join(', ')}.` : 'There are none.';
  return new UserError(`unknown ${kind} '${name}'.${hint} ${available}`);
}
