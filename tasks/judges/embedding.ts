/** @file A judge for any dataset of labelled texts: the likeness of sentence embeddings by an encoder that is not the subject. */
import {
  type Concept,
  type ConceptSet,
  defineJudge,
  type Item,
  type ItemEmbedder,
  type JudgedRow,
  UserError,
} from '../../harness/contract.ts';
import { divided } from './parts/divided.ts';
import { type ConceptLikeness, conceptLikeness, type Grades, gradeOf, product, topicGrades } from './parts/likeness.ts';
import { ECHO_RULE, ownWords } from './parts/own-words.ts';
import { unitRows } from './parts/zero-shot.ts';

interface Options {
  embedder?: string;
}

/** Words that training texts are cut to: about what is generated. */
const WORDS = 24;
/** Texts that say where keeping to a prompt begins, spread over the training items. */
const TOPIC_TEXTS = 256;
/** Texts of each kind that a scale needs. */
const LEAST = 2;

const cut = (text: string): string => text.trim().split(/\s+/).slice(0, WORDS).join(' ');

/** What it knows of a dataset: read from the training split, and embedded when it is first asked for. */
interface Scales {
  concept(concept: Concept): Promise<ConceptLikeness>;
  topic(): Promise<Grades>;
}

/** Unit embeddings of texts, row-major. */
type Embed = (texts: readonly string[]) => Promise<{ rows: Float32Array; dim: number }>;

function embedBy(embedder: ItemEmbedder): Embed {
  return async (texts) => {
    const { data, dim } = await embedder.embed(texts.map((text, i): Item => ({ id: String(i), text })));
    return { rows: unitRows(data, dim), dim };
  };
}

function scalesOf({ concepts, items, examples }: ConceptSet, embed: Embed): Scales {
  const known = new Map<string, Promise<ConceptLikeness>>();
  let topic: Promise<Grades> | undefined;
  const train = examples.filter(({ split }) => split === 'train');

  async function likenessOf({ id, label }: Concept): Promise<ConceptLikeness> {
    const place = concepts.findIndex((concept) => concept.id === id);
    const texts = (positive: boolean) =>
      train
        .filter(({ concept, role }) => concept === place && (role === 'positive') === positive)
        .map(({ item }) => items[item]!)
        .map(({ text = '', responseStart = 0 }) => cut(text.slice(responseStart)))
        .filter((text) => text !== '');
    const [own, others] = [texts(true), texts(false)];
    for (const [kind, found] of [
      ['with', own],
      ['without', others],
    ] as const) {
      if (found.length >= LEAST) continue;
      throw new UserError(
        `judge embedding: concept '${label}': expected at least ${LEAST} training texts ${kind} it to compare with; found ${found.length}.`,
      );
    }
    const { rows, dim } = await embed([...own, ...others]);
    return conceptLikeness(rows.subarray(0, own.length * dim), rows.subarray(own.length * dim), dim);
  }

  async function topicScale(): Promise<Grades> {
    // Each beginning once: against an equal one a text would keep to its own prompt.
    const byStart = new Map<string, string>();
    for (const place of new Set(train.map(({ item }) => item))) {
      const { start, rest } = divided(items[place]!);
      if (start.trim() !== '' && rest.trim() !== '') byStart.set(start.trim(), cut(rest));
    }
    const all = [...byStart].map(([start, rest]) => ({ start, rest }));
    const step = Math.max(1, all.length / TOPIC_TEXTS);
    const pairs = Array.from({ length: Math.min(all.length, TOPIC_TEXTS) }, (_, i) => all[Math.floor(i * step)]!);
    if (pairs.length < 2 * LEAST) {
      throw new UserError(
        `judge embedding: expected at least ${2 * LEAST} training texts that begin differently; found ${pairs.length}.`,
      );
    }
    const { rows, dim } = await embed([...pairs.map(({ start }) => start), ...pairs.map(({ rest }) => rest)]);
    return topicGrades(rows.subarray(0, pairs.length * dim), rows.subarray(pairs.length * dim), dim);
  }

  return {
    concept(concept) {
      const found = known.get(concept.id) ?? likenessOf(concept);
      known.set(concept.id, found);
      return found;
    },
    topic() {
      topic ??= topicScale();
      return topic;
    },
  };
}

/** An independent reader of a steered model's texts, without an API. It does not see negation: "no fever" is like "fever". */
export default defineJudge<Options>({
  id: 'embedding',
  title: 'Likeness of sentence embeddings, on a scale of the training texts',
  version: 1,
  options: {
    embedder: {
      type: 'string',
      default: 'minilm-l6',
      description: 'The encoder, not the subject: a model folder, a hub id or a name.',
    },
  },
  embeds: true,
  unavailable: ({ dataset }) =>
    dataset.concepts && dataset.modality === 'text' ? undefined : 'the dataset has no labelled texts',
  async open({ dataset, embedder }) {
    if (!embedder) throw new UserError('judge embedding: expected an encoder; found none: name one with --embedder.');
    const embed = embedBy(embedder);
    const scales = scalesOf(await dataset.concepts!({}), embed);
    return {
      description:
        `Cosines of embeddings by ${embedder.description}. Concept: likeness to the mean of the training texts with it less that ` +
        'to the mean of those without; 1 above the 95th percentile of the training texts without it, 2 if also at or above ' +
        'the median of those with it (each text scored by the means of the others); a denied mention counts like any other. ' +
        'Instruction: likeness to the prompt; 1 above the 95th percentile of training texts against the beginnings of others, ' +
        `2 if also at or above the median against their own. ${ECHO_RULE}`,
      async rate(rows: readonly JudgedRow[]) {
        const own = rows.map(({ text = '', prompt }) => ownWords(text, prompt.text).trim());
        const asked = rows.map(({ prompt }) => prompt.text.trim());
        const texts = [...new Set([...own, ...asked])].filter((text) => text !== '');
        const places = new Map(texts.map((text, i) => [text, i]));
        const topic = await scales.topic();
        const concepts = new Map<string, ConceptLikeness>();
        for (const { concept } of rows) concepts.set(concept.id, await scales.concept(concept));
        const { rows: embedded, dim } = texts.length > 0 ? await embed(texts) : { rows: new Float32Array(0), dim: 0 };
        return rows.map(({ concept }, i) => {
          const [said, wanted] = [places.get(own[i]!), places.get(asked[i]!)];
          // Nothing said of its own shows nothing.
          if (said === undefined) return { concept: 0, instruct: 0 };
          const likeness = concepts.get(concept.id)!;
          const shown = gradeOf(likeness.score(embedded, said * dim), likeness);
          if (wanted === undefined) return { concept: shown, instruct: null, reason: 'the prompt is empty' };
          return {
            concept: shown,
            instruct: gradeOf(product(embedded, said * dim, embedded, wanted * dim, dim), topic),
          };
        });
      },
      dispose() {},
    };
  },
});
