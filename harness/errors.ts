/** @file The kinds of failure: the user's (`UserError`, one plain line, exit code 2), a plug-in's, ours (the rest). */

/** A longer message is a file's content, not a sentence: its middle is left out. */
const MAX_MESSAGE = 2000;

/** What would break a line or steer a terminal: control characters, line separators, marks that turn the direction. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

function oneLine(message: string): string {
  const half = MAX_MESSAGE / 2;
  const text = message.length <= MAX_MESSAGE ? message : `${message.slice(0, half)} … ${message.slice(-half)}`;
  return text.replace(UNPRINTABLE, ' ');
}

/**
 * A mistake of the user or of the input. Printed as one plain line, without a stack, with exit code 2.
 * The message starts with the domain (`safetensors: …`, `suite default: …`) and states what was expected, what was
 * found and how to mend it. Names out of files may hold anything: control characters become spaces, a message of more
 * than 2,000 characters loses its middle.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** Characters of a value in a message. */
const MAX_SHOWN = 80;

/**
 * A value out of an untrusted file, as JSON for a message, of at most 81 characters: `nothing` where there is none, `…` at
 * the end where it is longer. What is not shown is not visited, so that depth and size cost nothing.
 */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : written(value, MAX_SHOWN);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** Begins as JSON.stringify would and stops soon after `room` characters. */
function written(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value !== 'object' || value === null) return String(value);
  const list = Array.isArray(value);
  let text = list ? '[' : '{';
  for (const key in value) {
    if (text.length > room) return text;
    const name = list ? '' : `${JSON.stringify(key.slice(0, room))}:`;
    const before = `${text}${text.length > 1 ? ',' : ''}${name}`;
    text = `${before}${written((value as Record<string, unknown>)[key], room - before.length)}`;
  }
  return `${text}${list ? ']' : '}'}`;
}

/** What a plug-in returned breaks its contract: a fault of the plug-in, not of the person who runs it. */
export class ContractError extends Error {
  override name = 'ContractError';
  /** The plug-in's file, where it comes from outside. */
  readonly file: string | undefined;

  constructor(message: string, file?: string) {
    super(message);
    this.file = file;
  }
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

/** The first names of a list that may be long, for a message. */
export function someOf(names: readonly string[], most = 20): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** Longer names are no misspelling, and the distance costs the product of the lengths. */
const MAX_NAME = 200;

/** The known names closest to `name`, best first; empty when none is near. */
export function suggest(name: string, known: readonly string[]): string[] {
  if (name.length > MAX_NAME) return [];
  const limit = Math.max(2, Math.floor(name.length / 3));
  return known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= limit || candidate.startsWith(name))
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limit || candidate.startsWith(name))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** A `UserError` for an unknown name: what it was, the closest known names and the list, of which long ones are cut. */
export function unknownName(kind: string, name: string, known: readonly string[]): UserError {
  const close = suggest(name, known);
  const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
  const available = known.length > 0 ? `Available: ${someOf([...known].sort())}.` : 'There are none.';
  return new UserError(`unknown ${kind} '${name}'.${hint} ${available}`);
}
