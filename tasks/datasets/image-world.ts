/** @file The image world as a dataset: scenes and scan-like images whose every attribute is known. */
import { type AttributePair, type ConceptSet, defineDataset, type Item, type Rng } from '../../harness/contract.ts';
import { createRng, sha256Json } from '../../harness/kit/index.ts';
import { imageConcepts, imageExamples } from '../worlds/image-world/concepts.ts';
import { imagePair, PAIRED_ATTRIBUTES } from '../worlds/image-world/pairs.ts';
import { generateImage, type WorldImage } from '../worlds/image-world/world.ts';
import { zeroShotClasses } from '../worlds/image-world/zero-shot.ts';
import { attributesOf, imageItem, oracleEmbedding } from './image-world/items.ts';
import { conceptSetBuilder, rememberSets } from './parts/concept-set-builder.ts';
import { spreadOverDomains } from './parts/spread.ts';
import { type ConceptLimits, chosenOf, type WorldOptions, worldOptions } from './parts/world-options.ts';

/**
 * Images drawn by the image world. The corpora and the concepts come from streams of their own; two equal images do
 * not occur, since each has its own pixel noise.
 */
export default defineDataset<WorldOptions>({
  id: 'image-world',
  title: 'Image world: captioned scenes and scan-like images with known attributes (made here)',
  version: 1,
  modality: 'image',
  options: worldOptions,
  async open(options, { seed }) {
    const rng = createRng(seed).fork('image-world');
    return {
      id: 'image-world',
      modality: 'image',
      fingerprint: sha256Json({ seed, options }),
      corpus: async (split, n) => corpus(split, n, rng.fork(`corpus ${split}`)),
      concepts: rememberSets(async (limits) => conceptSet(options, limits, rng.fork('concepts'))),
      zeroShot: zeroShotClasses.map(({ id, classes, classOf }) => ({
        id,
        classes: classes.map(({ label, prompts }) => ({ label, prompts: [...prompts] })),
        classOf: (item) => {
          const attributes = attributesOf(item);
          return attributes && classOf(attributes);
        },
      })),
      attributePairs: async (perAttribute) => pairs(perAttribute, rng.fork('pairs')),
      embed: async (items) => oracleEmbedding(items),
    };
  },
});

function corpus(split: 'train' | 'test', n: number, rng: Rng): Item[] {
  return Array.from({ length: n }, (_, i) => imageItem(`${split}-${i}`, generateImage(rng)));
}

function pairs(perAttribute: number, rng: Rng): AttributePair[] {
  return PAIRED_ATTRIBUTES.flatMap((attribute) =>
    Array.from({ length: perAttribute }, (_, i) => {
      const id = `pair-${attribute}-${i}`;
      const { before, after } = imagePair(attribute, rng.fork(id));
      return { attribute, before: imageItem(`${id}-before`, before), after: imageItem(`${id}-after`, after) };
    }),
  );
}

function conceptSet(options: WorldOptions, limits: ConceptLimits, rng: Rng): ConceptSet {
  const concepts = spreadOverDomains(chosenOf(imageConcepts, options), limits.concepts);
  const builder = conceptSetBuilder(concepts.map(({ id, label, domain }) => ({ id, label, domain })));
  concepts.forEach((concept, c) => {
    for (const split of ['train', 'eval'] as const) {
      const size = Math.min(options[split], limits.perClass ?? options[split]);
      const drawn = imageExamples(concept, split, rng, size);
      const named = (role: string, images: readonly WorldImage[]) =>
        images.map((image, i) => imageItem(`${concept.id}-${split}-${role}-${i}`, image));
      builder.add(c, split, 'positive', named('positive', drawn.positives));
      builder.add(c, split, 'negative', named('negative', drawn.negatives));
      if (split === 'eval') builder.add(c, split, 'hard-negative', named('hard-negative', drawn.hardNegatives));
    }
  });
  return builder.build();
}
