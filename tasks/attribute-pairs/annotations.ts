/** @file What items and pairs show: attribute values as rows of flags, and which two of them a pair is about. */
import { type AttributePair, type Item, UserError } from '../../harness/contract.ts';

/** A pair as the values, by number, that it loses, gains and keeps. */
export interface Change {
  attribute: string;
  removed: number;
  added: number;
  /** Values that both images show. */
  kept: number[];
}

const nameOf = (attribute: string, value: string) => `${attribute}=${value}`;

/** Values of all attributes that pairs change, named `colour=red`, in order of appearance. */
export function valuesOf(pairs: readonly AttributePair[]): string[] {
  const changing = new Set(pairs.map(({ attribute }) => attribute));
  const shown = pairs.flatMap(({ before, after }) => [before, after]).flatMap(({ labels }) => Object.entries(labels!));
  const names = shown.filter(([attribute]) => changing.has(attribute)).map(([name, value]) => nameOf(name, value));
  return [...new Set(names)].sort();
}

/** Flags, row-major [values, items]: 1 where the item shows the value. */
export function annotations(values: readonly string[], items: readonly Item[]): Uint8Array {
  const flags = new Uint8Array(values.length * items.length);
  const numbers = new Map(values.map((name, v) => [name, v]));
  items.forEach(({ labels = {} }, i) => {
    for (const [attribute, value] of Object.entries(labels)) {
      const v = numbers.get(nameOf(attribute, value));
      if (v !== undefined) flags[v * items.length + i] = 1;
    }
  });
  return flags;
}

/**
 * The pairs as numbers of values.
 *
 * @throws UserError for a pair of a dataset that does not differ in exactly the attribute that it names.
 */
export function changesOf(dataset: string, pairs: readonly AttributePair[], values: readonly string[]): Change[] {
  const numbers = new Map(values.map((name, v) => [name, v]));
  return pairs.map(({ attribute, before, after }) => {
    const [from, to] = [before.labels ?? {}, after.labels ?? {}];
    const changed = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((name) => from[name] !== to[name]);
    if (
      changed.length !== 1 ||
      changed[0] !== attribute ||
      from[attribute] === undefined ||
      to[attribute] === undefined
    ) {
      throw new UserError(
        `attribute-pairs: dataset ${dataset}: items '${before.id}' and '${after.id}': expected labels that differ in ` +
          `'${attribute}' alone, found ${changed.length === 0 ? 'no difference' : changed.map((name) => `'${name}'`).join(', ')}`,
      );
    }
    const kept = Object.entries(from).flatMap(([name, value]) => {
      const v = name === attribute ? undefined : numbers.get(nameOf(name, value));
      return v === undefined ? [] : [v];
    });
    const number = (value: string) => numbers.get(nameOf(attribute, value))!;
    return { attribute, removed: number(from[attribute]), added: number(to[attribute]), kept };
  });
}
