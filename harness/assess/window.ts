/** @file The part of a text that a question shows: as many tokens of every text, about the one where a latent is strongest. */
import type { Rng } from '../num/rng.ts';
import type { AssessmentPiece } from '../schema/assessment-item.generated.ts';
import type { Shown } from './questions.ts';

/** Grades of marks. */
const GRADES = 3;
/** At most this share of a window is marked, its strongest tokens: where all is marked nothing is. */
const MARKED = 1 / 3;

/** The tokens of a text as they are written, and a latent's value on each; no values: nothing is known of tokens. */
export interface TokenText {
  pieces: readonly string[];
  values?: Float32Array;
}

function strongest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Grades of the tokens of a window above the threshold, strongest first up to the share that may be marked; 0 of others. */
function gradesOf(values: ArrayLike<number>, threshold: number): Uint8Array {
  const above = Float64Array.from(values, (value) => Math.max(0, value - threshold));
  const order = Array.from(above, (_, i) => i).sort((a, b) => above[b]! - above[a]! || a - b);
  const most = Math.max(1, Math.floor(above.length * MARKED));
  const largest = above[order[0]!] ?? 0;
  const grades = new Uint8Array(above.length);
  for (const i of order.slice(0, most)) if (above[i]! > 0) grades[i] = Math.ceil((GRADES * above[i]!) / largest);
  return grades;
}

/** A token that shows nothing: it cannot be marked, rightly or wrongly. */
const BLANK = -Infinity;

/** The same grades on tokens that have none: where the latent is silent, or least active where it is silent too seldom. */
function elsewhere(grades: Uint8Array, values: ArrayLike<number>, threshold: number, rng: Rng): Uint8Array {
  const free = rng.shuffle(Array.from(grades, (_, i) => i).filter((i) => grades[i] === 0 && values[i] !== BLANK));
  const activity = (i: number) => Math.max(0, values[i]! - threshold);
  free.sort((a, b) => activity(a) - activity(b));
  const moved = new Uint8Array(grades.length);
  grades
    .filter((grade) => grade > 0)
    .forEach((grade, i) => {
      const place = free[i];
      if (place !== undefined) moved[place] = grade;
    });
  return moved;
}

/**
 * Pieces with their grades, those without one joined: where tokens end is told of marked ones alone. Blanks before a word
 * are not marked, and none begin the text.
 */
function joined(pieces: readonly string[], grades: ArrayLike<number>): AssessmentPiece[] {
  const all: AssessmentPiece[] = [];
  const add = (t: string, m?: number) => {
    const last = all.at(-1);
    if (t === '') return;
    if (m) all.push({ t, m });
    else if (last && last.m === undefined) last.t += t;
    else all.push({ t });
  };
  pieces.forEach((piece, i) => {
    const word = piece.trimStart();
    if (all.length > 0) add(piece.slice(0, piece.length - word.length));
    add(word, grades[i]);
  });
  return all;
}

export interface Window {
  /** Tokens. */
  length: number;
  threshold: number;
  marks: Shown['marks'];
  /** Where in the window the strongest token stands. Where marks are judged: anywhere, or those at the middle would be the right ones. */
  peak: 'middle' | 'anywhere';
}

/** A window of exactly `length` tokens, marked as asked; the text has at least as many. */
export function windowOf(
  { pieces, values }: TokenText,
  { length, threshold, marks, peak }: Window,
  rng: Rng,
): AssessmentPiece[] {
  const before = peak === 'middle' ? Math.floor(length / 2) : rng.int(length);
  const start = Math.max(0, Math.min((values ? strongest(values) : 0) - before, pieces.length - length));
  const seen = pieces.slice(start, start + length);
  if (!values || marks === 'none') return joined(seen, []);
  const within = Float32Array.from(seen, (piece, i) => (piece.trim() === '' ? BLANK : values[start + i]!));
  const own = gradesOf(within, threshold);
  return joined(seen, marks === 'own' ? own : elsewhere(own, within, threshold, rng));
}
