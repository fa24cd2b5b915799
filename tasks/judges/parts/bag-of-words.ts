/** @file Judge of concepts in real text: a bag of words per concept, its grades calibrated on held-out texts. */
import { type Concept, type ConceptSet, type Split, UserError } from '../../../harness/contract.ts';
import { fitLogistic, quantiles, sparseFeatures } from '../../../harness/kit/index.ts';
import { wordsOf } from './word-overlap.ts';

/** Texts with (`positive`) and without the concept. */
export interface LabelledTexts {
  positive: readonly string[];
  negative: readonly string[];
}

/** Words that held-out texts are cut to: about what is generated. */
const CALIBRATION_WORDS = 24;
/** Words that occur in fewer training texts are left out. */
const LEAST_TEXTS = 2;
const C = 1;

/** How a dataset of labelled texts judges by such grades, for results. */
export const BAG_OF_WORDS_JUDGE =
  'Concept: a bag of words fitted on the training texts, graded by held-out texts (1 above the 95th percentile of ' +
  "those without it, 2 if also at or above the median of those with it; a denied mention counts like any other). Instruction: whether the prompt's rarest words come again.";

/** Grades of one concept: log-odds at which 1 and 2 begin. */
interface Grader {
  /** Log-odds; undefined for a text without a known word, which shows nothing. */
  score(text: string): number | undefined;
  weak: number;
  clear: number;
}

/**
 * Grades texts: 1 above the 95th percentile of held-out texts without the concept, 2 if also at or above the median of those
 * with it. `textsOf` gives the texts of a concept; each concept's classifier is fitted when it is first asked for.
 *
 * @throws UserError where no held-out text of a kind has a word of the training texts: nothing says where grades begin.
 */
export function bagOfWordsGrades(
  textsOf: (concept: Concept) => { train: LabelledTexts; heldOut: LabelledTexts },
): (text: string, concept: Concept) => number {
  const graders = new Map<string, Grader>();
  return (text, concept) => {
    let grader = graders.get(concept.id);
    if (!grader) {
      const { train, heldOut } = textsOf(concept);
      grader = fitGrader(concept.label, train, heldOut);
      graders.set(concept.id, grader);
    }
    const score = grader.score(text);
    if (score === undefined) return 0;
    return score <= grader.weak ? 0 : score < grader.clear ? 1 : 2;
  };
}

/** Responses with and without a concept, of one split; hard negatives are among those without. */
function responses({ concepts, items, examples }: ConceptSet, id: string, wanted: Split): LabelledTexts {
  const place = concepts.findIndex((concept) => concept.id === id);
  const own = examples.filter(({ concept, split }) => concept === place && split === wanted);
  const texts = (positive: boolean) =>
    own
      .filter(({ role }) => (role === 'positive') === positive)
      .map(({ item }) => items[item]!)
      .map(({ text = '', responseStart = 0 }) => text.slice(responseStart));
  return { positive: texts(true), negative: texts(false) };
}

/** Grades by the labelled texts of a set, which is asked for with the first text. */
export const gradesOfSet = (set: () => ConceptSet): ReturnType<typeof bagOfWordsGrades> =>
  bagOfWordsGrades(({ id }) => ({ train: responses(set(), id, 'train'), heldOut: responses(set(), id, 'eval') }));

function fitGrader(label: string, train: LabelledTexts, heldOut: LabelledTexts): Grader {
  const texts = [...train.positive, ...train.negative].map((text) => new Set(wordsOf(text)));
  const frequencies = new Map<string, number>();
  for (const words of texts) for (const word of words) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  const vocabulary = [...frequencies].filter(([, count]) => count >= LEAST_TEXTS).map(([word]) => word);
  const columns = new Map(vocabulary.map((word, column) => [word, column]));
  const indptr = new Uint32Array(texts.length + 1);
  const indices: number[] = [];
  texts.forEach((words, i) => {
    const own = [...words].flatMap((word) => columns.get(word) ?? []).sort((a, b) => a - b);
    indices.push(...own);
    indptr[i + 1] = indices.length;
  });
  const values = new Float32Array(indices.length).fill(1);
  const csr = { n: texts.length, d_sae: vocabulary.length, indptr, indices: Uint32Array.from(indices), values };
  const labels = texts.map((_, i) => i < train.positive.length);
  const { weights, intercept } = fitLogistic(sparseFeatures(csr), labels, { C });
  const score = (text: string): number | undefined => {
    const known = [...new Set(wordsOf(text))].flatMap((word) => columns.get(word) ?? []);
    return known.length === 0 ? undefined : known.reduce((sum, column) => sum + weights[column]!, intercept);
  };
  const cut = (text: string) => text.split(/\s+/).slice(0, CALIBRATION_WORDS).join(' ');
  const scores = (held: readonly string[]) => held.flatMap((text) => score(cut(text)) ?? []);
  const [weak] = quantiles(scores(heldOut.negative), [0.95]);
  const [median] = quantiles(scores(heldOut.positive), [0.5]);
  if (weak == null || median == null) {
    throw new UserError(
      `judge: concept '${label}': expected held-out texts with and without it that share words with the training texts; ` +
        `found none ${median == null ? 'with' : 'without'} it: give more evaluation examples`,
    );
  }
  return { score, weak, clear: Math.max(weak, median) };
}
