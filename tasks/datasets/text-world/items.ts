/** @file Documents of the text world as items of a dataset, and their oracle embedding. */
import type { Item } from '../../../harness/contract.ts';
import type { TextDocument } from '../../worlds/text-world/generate.ts';
import type { TextWorld } from '../../worlds/text-world/world.ts';

/** A document as an item. */
export function textItem(id: string, document: TextDocument): Item {
  return {
    id,
    text: document.text,
    responseStart: document.instruction.length + 1,
    spans: document.spans.map((span) => ({ ...span })),
    generatorNats: -document.logProb,
    labels: { topic: document.topic },
    concepts: [...new Set(document.spans.map(({ concept }) => concept))],
  };
}

/** Multi-hot vectors of the concepts and the topic of each item, of unit norm: row-major [items, concepts + topics]. */
export function oracleEmbedding(
  world: TextWorld,
  items: readonly Item[],
): { data: Float32Array; dim: number; description: string } {
  const names = [...world.concepts.map(({ id }) => id), ...world.topics.map(({ id }) => `topic ${id}`)];
  const places = new Map(names.map((name, place) => [name, place]));
  const dim = names.length;
  const data = new Float32Array(items.length * dim);
  items.forEach(({ spans = [], labels = {} }, row) => {
    const shown = [...new Set(spans.map(({ concept }) => concept)), `topic ${labels['topic']}`];
    const hot = shown.map((name) => places.get(name)).filter((place) => place !== undefined);
    for (const place of hot) data[row * dim + place] = 1 / Math.sqrt(hot.length);
  });
  return { data, dim, description: 'oracle: the concepts and the topic that the generator put into each text' };
}
