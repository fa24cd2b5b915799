/** @file The order of several arrays that no manifest puts in order: that of their numbers, where nothing is a guess. */
import { UserError } from '../errors.ts';

/** Names shown in a message. */
const SHOWN = 6;

/** A name cut at its runs of digits: `part_03.npy` → texts `part_`, `.npy` and number 3. */
function cut(name: string): { texts: string[]; numbers: string[] } {
  return { texts: name.split(/\d+/), numbers: name.match(/\d+/g) ?? [] };
}

function listed(names: readonly string[]): string {
  return names.length > SHOWN
    ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`
    : names.join(', ');
}

/** Why the order of `names` would be a guess; otherwise the names in order. */
function ordered(names: readonly string[]): string[] | string {
  const parts = names.map(cut);
  const [first] = parts;
  if (parts.some(({ texts }) => texts.join('0') !== first!.texts.join('0'))) {
    const held = names.filter((name) => /(^|[^a-z])(train|test|val|valid|dev|eval)([^a-z]|$)/i.test(name));
    return held.length > 0
      ? 'the names differ in more than a number, and some name a split (a split is told by "split" in activations.json)'
      : 'the names differ in more than a number';
  }
  const varying = first!.numbers
    .map((_, c) => c)
    .filter((c) => parts.some((part) => part.numbers[c] !== first!.numbers[c]));
  if (varying.length !== 1) return 'the names differ in two numbers';
  const column = varying[0]!;
  const numberOf = new Map(names.map((name, i) => [name, Number(parts[i]!.numbers[column])]));
  const sorted = [...names].sort((a, b) => numberOf.get(a)! - numberOf.get(b)!);
  const numbers = sorted.map((name) => numberOf.get(name)!);
  const twice = numbers.findIndex((number, i) => i > 0 && number === numbers[i - 1]);
  if (twice > 0) return `${sorted[twice - 1]} and ${sorted[twice]} have the same number`;
  if (numbers[0]! > 1) return `the first number is ${numbers[0]}, so files before it may be missing`;
  const gap = numbers.findIndex((number, i) => i > 0 && number !== numbers[i - 1]! + 1);
  if (gap > 0) return `there is none with the number ${numbers[gap - 1]! + 1}`;
  // `shard-00001-of-00012`: what says how many there are must be right.
  const total = /-of-(\d+)/.exec(sorted[0]!)?.[1];
  if (total !== undefined && Number(total) !== names.length)
    return `the names say ${Number(total)}, there are ${names.length}`;
  return sorted;
}

/**
 * The files in the order of the one number in which their names differ, counted on from 0 or 1 without a gap.
 *
 * @throws UserError where the order would be a guess: names that differ in more than that, numbers that are missing.
 */
export function partsInOrder(folder: string, names: readonly string[]): string[] {
  if (names.length === 1) return [...names];
  const found = ordered(names);
  if (typeof found !== 'string') return found;
  const example = JSON.stringify({ files: names.slice(0, 2) }).replace(/\]\}$/, ', …]}');
  throw new UserError(
    `activations ${folder}: ${names.length} arrays whose order would be a guess, since ${found}: ${listed(names)}; ` +
      `write activations.json with those that belong together in order: ${example}.`,
  );
}
