/** @file One concept with an exact test: strings of base64, in texts made here, beside documents of one's own. */
import {
  type Concept,
  type ConceptSet,
  defineDataset,
  type Item,
  type Rng,
  type TextJudge,
} from '../../harness/contract.ts';
import { createRng, sha256File, sha256Json } from '../../harness/kit/index.ts';
import { keepsToTopic } from '../judges/parts/word-overlap.ts';
import { base64Runs, LEAST_RUN } from '../worlds/base64/runs.ts';
import { base64Text, type Filling } from '../worlds/base64/texts.ts';
import { conceptSetBuilder, rememberSets } from './parts/concept-set-builder.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, sourceNotes } from './parts/files.ts';
import { passagesOf } from './parts/passages.ts';

interface Options {
  corpusPath?: PathOption;
  texts: number;
  train: number;
  eval: number;
}

const CONCEPT: Concept = { id: 'base64', label: 'strings of base64', domain: 'text' };
/** Words of a passage of the corpus. */
const PASSAGE = 96;

const JUDGE: TextJudge = {
  description:
    `Concept: 2 where the text has a run of base64, ${LEAST_RUN} or more characters with capitals, small letters and digits that change often ` +
    "(no words, hexadecimal digits, paths or names in camel case), else 0. Instruction: whether the prompt's rarest words come again.",
  concept: (text) => (base64Runs(text).length > 0 ? 2 : 0),
  instruction: keepsToTopic,
};

/**
 * Texts of one kind with a place for a string. With the concept it is base64, without it plain words; hard negatives have
 * hexadecimal digits, paths, identifiers or numbers there. The corpus has them too, all three kinds, among the documents that a
 * person names: an SAE has a latent for what it saw. Prompts to steer from are beginnings of those documents.
 */
export default defineDataset<Options>({
  id: 'base64',
  title: 'Strings of base64 in short texts (made here), among documents of a file',
  version: 1,
  modality: 'text',
  options: {
    corpusPath: pathOption(
      'Unlabelled documents (.json, .jsonl, .parquet, .csv or text) that the texts made here are mixed with; without it these stand alone.',
    ),
    texts: {
      type: 'integer',
      minimum: 100,
      maximum: 100000,
      default: 1200,
      description: 'Texts made for the corpus, each kind a third.',
    },
    train: {
      type: 'integer',
      minimum: 1,
      maximum: 10000,
      default: 72,
      description: 'Training items with the concept, and without.',
    },
    eval: {
      type: 'integer',
      minimum: 1,
      maximum: 10000,
      default: 36,
      description: 'Evaluation items with the concept, without, and hard negatives.',
    },
  },
  async open({ corpusPath, texts, train, eval: held }, context) {
    const { seed } = context;
    const source =
      corpusPath === undefined ? undefined : await findData({ dataset: 'base64', context }, 'corpusPath', corpusPath);
    const rng = createRng(seed).fork('base64');
    const made = () => corpusTexts(texts, rng.fork('corpus'));
    const read = async () =>
      source ? (await readDocuments(source.path, 'text')).flatMap((text) => passagesOf(text, PASSAGE)) : made();
    const mixed = async () => (source ? rng.fork('order').shuffle([...(await read()), ...made()]) : made());
    return {
      id: 'base64',
      modality: 'text',
      fingerprint: sha256Json({ file: source && (await sha256File(source.path)), seed, texts, train, held }),
      notes: sourceNotes(source ? [source] : []),
      corpus: documentCorpus('base64', mixed).corpus,
      prompts: documentCorpus('base64', read).prompts,
      concepts: rememberSets(async ({ perClass }) => conceptSet({ train, eval: held }, perClass, rng.fork('concept'))),
      judge: JUDGE,
      pairing: {
        description:
          'held-out texts made here with a string of base64 beside ones of the same kind with words in its place, matched in length',
      },
    };
  },
});

const KINDS: readonly Filling[] = ['base64', 'words', 'lookalike'];

const corpusTexts = (n: number, rng: Rng): string[] =>
  Array.from({ length: n }, (_, i) => base64Text(KINDS[i % KINDS.length]!, rng.fork(i)));

/** Every example is a text of its own. */
function conceptSet(
  sizes: Record<'train' | 'eval', number>,
  perClass = Number.POSITIVE_INFINITY,
  rng: Rng,
): ConceptSet {
  const builder = conceptSetBuilder([CONCEPT]);
  const add = (split: 'train' | 'eval', role: 'positive' | 'negative' | 'hard-negative', kind: Filling) => {
    const stream = rng.fork(`${split} ${role}`);
    const count = Math.min(sizes[split], perClass);
    const items = Array.from(
      { length: count },
      (_, i): Item => ({ id: `${split}-${role}-${i}`, text: base64Text(kind, stream.fork(i)) }),
    );
    builder.add(0, split, role, items);
  };
  for (const split of ['train', 'eval'] as const) {
    add(split, 'positive', 'base64');
    add(split, 'negative', 'words');
  }
  add('eval', 'hard-negative', 'lookalike');
  return builder.build();
}
