/** @file Images of the image world as items, their attributes read back from the labels, and the oracle embedding. */
import type { Item } from '../../../harness/contract.ts';
import {
  ATTRIBUTE_NAMES,
  ATTRIBUTE_VALUES,
  type Attributes,
  attributeVector,
} from '../../worlds/image-world/attributes.ts';
import { imageConcepts, shows } from '../../worlds/image-world/concepts.ts';
import type { WorldImage } from '../../worlds/image-world/world.ts';

/** An image as an item; its attributes become its labels, and all concepts that they make are named. */
export function imageItem(id: string, { width, height, data, attributes, caption }: WorldImage): Item {
  const shown = Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== null);
  const concepts = imageConcepts.filter((concept) => shows(attributes, concept)).map((concept) => concept.id);
  return { id, image: { width, height, data }, caption, labels: Object.fromEntries(shown), concepts };
}

/** The attributes of an item of this world; undefined for any other. */
export function attributesOf({ labels }: Item): Attributes | undefined {
  if (labels?.['kind'] === undefined) return undefined;
  const values = Object.fromEntries(Object.keys(ATTRIBUTE_VALUES).map((name) => [name, labels[name] ?? null]));
  return isAttributes(values) ? values : undefined;
}

function isAttributes(values: Record<string, string | null>): values is Record<string, string | null> & Attributes {
  return Object.entries(ATTRIBUTE_VALUES).every(([name, known]) => {
    const value = values[name];
    return value === null ? name !== 'kind' : known.some((each) => each === value);
  });
}

/** Attribute vectors, row-major [items, attributes]; zero for an item that is not of this world. */
export function oracleEmbedding(items: readonly Item[]): { data: Float32Array; dim: number; description: string } {
  const dim = ATTRIBUTE_NAMES.length;
  const data = new Float32Array(items.length * dim);
  items.forEach((item, row) => {
    const attributes = attributesOf(item);
    if (attributes) data.set(attributeVector(attributes), row * dim);
  });
  return { data, dim, description: 'oracle: the attributes that the generator gave each image' };
}
