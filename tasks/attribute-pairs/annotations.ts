/** @file What items and pairs show: attribute values as rows of flags, and which two of them a pair is about. */
import { type AttributePair, type Item, type Mark, UserError } from '../../harness/contract.ts';
import { sha256, sha256File } from '../../harness/kit/index.ts';

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
  const shown = pairs
    .flatMap(({ before, after }) => [before, after])
    .flatMap(({ labels = {} }) => Object.entries(labels));
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
 * @param shown Flags of the training images `items`, of which `images` were collected.
 * @throws UserError where the items are others than those of the activations, and where no training image has a label of the
 *   pairs' attributes: nothing could be matched, and any method would have 0.
 */
export function requireTraining(
  dataset: string,
  values: readonly string[],
  items: readonly Item[],
  shown: Uint8Array,
  images: number,
): void {
  if (items.length !== images) {
    throw new UserError(
      `attribute-pairs: dataset ${dataset}: expected the ${images} training images whose activations there are, found ${items.length}`,
    );
  }
  if (!shown.includes(1)) {
    throw new UserError(
      `attribute-pairs: dataset ${dataset}: expected training images with labels such as ${values[0]}, found none among ${items.length}`,
    );
  }
}

/**
 * @param training All that dictionaries are trained on, also beyond the images that latents are matched on.
 * @throws UserError for an image of a pair that is among them, by its id or, under another one, by its content.
 */
export async function requireHeldOut(
  dataset: string,
  pairs: readonly AttributePair[],
  training: readonly Item[],
): Promise<void> {
  const ids = new Set(training.map(({ id }) => id));
  const known = new Map<string, string>();
  for (const item of training) if (item.image) known.set(await imageContent(item.image), item.id);
  for (const { id, image } of pairs.flatMap(({ before, after }) => [before, after])) {
    const same = ids.has(id) ? id : image && known.get(await imageContent(image));
    if (same === undefined) continue;
    throw new UserError(
      `attribute-pairs: dataset ${dataset}: item '${id}' of a pair: expected an image that is held out, found it in the training split${same === id ? '' : ` as '${same}'`}`,
    );
  }
}

/** The same for the same pixels in memory, and for the same bytes of files. */
async function imageContent(image: NonNullable<Item['image']>): Promise<string> {
  return 'path' in image ? sha256File(image.path) : `${image.width} × ${image.height} ${sha256(image.data)}`;
}

/** Values that no training image shows: no latent can be matched to them, and no method answers for them. */
export function unseenMarks(values: readonly string[], shown: Uint8Array, images: number): Mark[] {
  const unseen = values.filter((_, v) => !shown.subarray(v * images, (v + 1) * images).includes(1));
  if (unseen.length === 0) return [];
  const message = `No latent can be matched to ${unseen.join(', ')}: none of ${images} training images shows it.`;
  return [{ code: 'values-not-shown', message }];
}

/**
 * The pairs as numbers of values.
 *
 * @throws UserError for a pair of a dataset that does not differ in exactly the attribute that it names, and for one that
 *   comes twice, in either order: intervals count pairs as independent.
 */
export function changesOf(dataset: string, pairs: readonly AttributePair[], values: readonly string[]): Change[] {
  const numbers = new Map(values.map((name, v) => [name, v]));
  const seen = new Set<string>();
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
    const pair = JSON.stringify([before.id, after.id].sort());
    if (seen.has(pair)) {
      throw new UserError(
        `attribute-pairs: dataset ${dataset}: items '${before.id}' and '${after.id}': expected each pair once, found it twice`,
      );
    }
    seen.add(pair);
    const kept = Object.entries(from).flatMap(([name, value]) => {
      const v = name === attribute ? undefined : numbers.get(nameOf(name, value));
      return v === undefined ? [] : [v];
    });
    const number = (value: string) => numbers.get(nameOf(attribute, value))!;
    return { attribute, removed: number(from[attribute]), added: number(to[attribute]), kept };
  });
}
