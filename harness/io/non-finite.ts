/** @file Numbers that JSON does not carry, found before they are written or believed. */
import { ContractError } from '../errors.ts';

/** The first number anywhere in `value` that is not finite, by its place: JSON carries none, but `1e999` reads as one. */
export function nonFinite(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `: expected a finite number; found ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = nonFinite(item);
    if (found !== undefined) return `.${key}${found}`;
  }
  return undefined;
}

/** Throws when a value anywhere in `value` is not a number that JSON carries, naming its place. */
export function refuseNonFinite(value: unknown, where: string): void {
  const found = nonFinite(value);
  if (found !== undefined) throw new ContractError(`${where}${found}`);
}
