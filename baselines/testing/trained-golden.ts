/** @file The tiny Llama of models/subjects/testdata with the labelled texts of testdata/trained.json, for the tests of trained methods. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  Concept,
  ConceptExample,
  ConceptSet,
  FitContext,
  LabelledActivations,
  LanguageModel,
} from '../../harness/contract.ts';
import { createRng, readJson } from '../../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import llama from '../../models/subjects/llama.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
export const SITE = 'blocks.0.hook_resid_post';

interface GoldenText {
  text: string;
  responseStart: number;
  positive: boolean;
}

/** What PyTorch found for one step. */
export interface GoldenStep {
  loss: number;
  gradients: Record<string, number[]>;
  after: Record<string, number[]>;
}

export interface Golden {
  lr: number;
  steps: number;
  train: GoldenText[];
  held: GoldenText[];
  /** Of the sampled-factor methods: what is added. */
  amounts: Record<string, number>;
  vectors: Record<
    string,
    GoldenStep & {
      start: number[];
      trained: { direction: number[]; auroc: number; amount: number; effect: number };
    }
  >;
  loreft: { rank: number; start: Record<string, number[]>; all: GoldenStep; ends: GoldenStep };
  lora: GoldenStep & { rank: number; alpha: number; start: Record<string, number[]> };
  sft: {
    loss: number;
    lossAfter: number;
    norm: number;
    gradients: Record<string, number[]>;
    changes: Record<string, number[]>;
  };
}

export const readTrainedGolden = async () =>
  (await readJson(join(HERE, '../testdata/trained.json'), 'golden values of the trained methods')) as Golden;

export const openLlama = () =>
  llama.load(join(HERE, '../../models/subjects/testdata/llama-sharded'), { id: 'tiny' }) as Promise<LanguageModel>;

export const CONCEPT: Concept = { id: 'late words', label: 'late words' };

/** Texts as a labelled set of one concept, with the model's own activations at the site. */
export async function labelledTexts(
  lm: LanguageModel,
  { train, held }: Pick<Golden, 'train' | 'held'>,
): Promise<LabelledActivations> {
  const texts = [...train, ...held];
  const rows: number[][][] = [];
  const ids: number[][] = [];
  for (const { text } of texts) {
    const batch = lm.tokenize([text]);
    const { captured } = lm.forward(batch, { capture: [SITE], output: false });
    const x = captured[SITE]!;
    rows.push(((await x.array()) as number[][][])[0]!);
    x.dispose();
    ids.push([...batch.ids]);
  }
  const set: ConceptSet = {
    concepts: [CONCEPT],
    items: texts.map(({ text, responseStart }, i) => ({ id: `${i}`, text, responseStart })),
    examples: texts.map(({ positive }, item): ConceptExample => {
      return {
        concept: 0,
        item,
        split: item < train.length ? 'train' : 'eval',
        role: positive ? 'positive' : 'negative',
      };
    }),
  };
  return memoryLabelled(set, memoryActivations(rows, { special: [0], tokenIds: ids }));
}

/** A context to fit with. */
export function fitContext<O>(lm: LanguageModel, labelled: LabelledActivations, options: O): FitContext<O> {
  const { activations } = labelled;
  return { options, rng: createRng(0), activations, labelled, subject: lm, site: SITE, progress: () => {} };
}
