/** @file The text world as a dataset: exact concepts, spans, topics and probabilities. */
import { type ConceptSet, defineDataset, type Item, type Rng } from '../../harness/contract.ts';
import { createRng, sha256Json } from '../../harness/kit/index.ts';
import { recogniserJudge } from '../judges/parts/recogniser.ts';
import { conceptExamples, steeringInstructions } from '../worlds/text-world/examples.ts';
import type { TextDocument } from '../worlds/text-world/generate.ts';
import { tokenCounter, tokenCounterFingerprint } from '../worlds/text-world/token-count.ts';
import { createTextWorld, type TextWorld } from '../worlds/text-world/world.ts';
import { conceptSetBuilder, rememberSets } from './parts/concept-set-builder.ts';
import { type Shares, useOf } from './parts/partition.ts';
import { spreadOverDomains } from './parts/spread.ts';
import { type ConceptLimits, chosenOf, type WorldOptions, worldOptions } from './parts/world-options.ts';

/** What a document is for. */
type Use = 'concepts' | 'train' | 'test';

/** Drawing a document for a use takes 16 / share attempts on average. */
const SHARES: Shares<Use> = [
  ['concepts', 12],
  ['train', 3],
  ['test', 1],
];

/**
 * Documents drawn from the grammar of the text world. Which documents serve the corpus for training, the held-out
 * corpus and the concepts is decided by their text, so the three are disjoint. Labelled documents are matched in
 * length within a concept, counted in tokens of the world's own tokenizer, which is tiny-lm-planted's too.
 */
export default defineDataset<WorldOptions>({
  id: 'text-world',
  title: 'Text world: short English documents with exact concepts (made here)',
  version: 2,
  modality: 'text',
  options: worldOptions,
  async open(options, { seed }) {
    let world: TextWorld | undefined;
    const theWorld = () => {
      world ??= createTextWorld();
      return world;
    };
    const rng = createRng(seed).fork('text-world');
    return {
      id: 'text-world',
      modality: 'text',
      fingerprint: sha256Json({ seed, options, tokenizer: tokenCounterFingerprint() }),
      corpus: async (split, n) => corpus(theWorld(), split, n, rng.fork(`corpus ${split}`)),
      concepts: rememberSets((limits) => conceptSet(theWorld(), options, limits, rng.fork('concepts'))),
      prompts: async (n) => prompts(theWorld(), n, rng.fork('prompts')),
      judge: recogniserJudge((text) => theWorld().look(text)),
      pairing: {
        description: 'held-out documents of the grammar with the concept beside ones without it, matched in length',
      },
      embed: async (items) => oracleEmbedding(theWorld(), items),
    };
  },
});

/** `n` different documents; the first m of a larger n are those of m. */
function corpus(world: TextWorld, split: 'train' | 'test', n: number, rng: Rng): Item[] {
  const drawn = new Set<string>();
  const items: Item[] = [];
  while (items.length < n) {
    const document = world.generate(rng);
    if (useOf(document.text, SHARES) !== split || drawn.has(document.text)) continue;
    drawn.add(document.text);
    items.push(textItem(`${split}-${items.length}`, document));
  }
  return items;
}

async function conceptSet(
  world: TextWorld,
  options: WorldOptions,
  limits: ConceptLimits,
  rng: Rng,
): Promise<ConceptSet> {
  const lengthOf = tokenCounter();
  const narrowed = worldFor(world, 'concepts');
  const concepts = spreadOverDomains(chosenOf(world.concepts, options), limits.concepts);
  const builder = conceptSetBuilder(concepts.map(({ id, label, domain }) => ({ id, label, domain })));
  concepts.forEach(({ id }, c) => {
    for (const split of ['train', 'eval'] as const) {
      const size = Math.min(options[split], limits.perClass ?? options[split]);
      const drawn = conceptExamples(narrowed, id, split, rng, { size, lengthOf });
      const named = (role: string, documents: typeof drawn.positives) =>
        documents.map((document, i) => textItem(`${id}-${split}-${role}-${i}`, document));
      builder.add(c, split, 'positive', named('positive', drawn.positives));
      builder.add(c, split, 'negative', named('negative', drawn.negatives));
      if (split === 'eval') builder.add(c, split, 'hard-negative', named('hard-negative', drawn.hardNegatives));
    }
  });
  return builder.build();
}

/** Instruction lines, all different, on different topics as long as there are any left. */
function prompts(world: TextWorld, n: number, rng: Rng): { id: string; text: string; topic: string }[] {
  const chosen = new Map<string, { id: string; text: string; topic: string }>();
  for (let attempts = 0; chosen.size < n && attempts < 1000 * n; attempts++) {
    const { topic, instruction } = steeringInstructions(world, rng, 1)[0]!;
    const round = Math.floor(chosen.size / world.topics.length);
    const used = [...chosen.values()].filter((prompt) => prompt.topic === topic).length;
    if (used > round || chosen.has(instruction)) continue;
    chosen.set(instruction, { id: `prompt-${chosen.size}`, text: `${instruction}\n`, topic });
  }
  return [...chosen.values()];
}

/** The world narrowed to the documents for one use. */
function worldFor(world: TextWorld, use: Use): Pick<TextWorld, 'generate'> {
  return {
    generate(rng, options) {
      for (;;) {
        const document = world.generate(rng, options);
        if (useOf(document.text, SHARES) === use) return document;
      }
    },
  };
}

/** A document as an item. */
function textItem(id: string, document: TextDocument): Item {
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
function oracleEmbedding(
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
