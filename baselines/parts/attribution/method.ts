/** @file What input × gradient and integrated gradients share: the classifier of each concept, its state, its detectors. */
import {
  type Concept,
  type FitContext,
  type FittedMethod,
  type FittedState,
  type NamedTensors,
  type OptionsSchema,
  type RestoreContext,
  tf,
  UserError,
} from '../../../harness/contract.ts';
import { requireLabels, trainExamples } from '../train-examples.ts';
import { type Attribution, attributionScores } from './attribute.ts';
import { HEAD, type HeadSettings, type HeadWeights, headShapes, startOf, trainHead } from './head.ts';
import { collectedBatches, lastStates, type Place, requirePlace } from './last-states.ts';

/** AxBench's settings for Gemma-2-2B are the defaults; those for the 9B model: batchSize 144, epochs 72, lr 8e-5. */
export const HEAD_OPTIONS: OptionsSchema = {
  epochs: {
    type: 'integer',
    minimum: 1,
    default: 24,
    description: 'Passes over the training items (AxBench, 9B: 72).',
  },
  batchSize: {
    type: 'integer',
    minimum: 1,
    default: 36,
    description: "Items of a step (AxBench's 18, gradients of 2 summed; 9B: 144).",
  },
  lr: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 4e-4,
    description: 'Learning rate of the first step; it falls linearly to 0 (AxBench, 9B: 8e-5).',
  },
  weightDecay: { type: 'number', minimum: 0, default: 2e-4, description: 'Of AdamW.' },
  dropout: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.3,
    description: 'Share of inputs and of hidden units that is left out in a step.',
  },
  softmax: {
    enum: ['once', 'twice'],
    default: 'once',
    description: "twice: the loss takes softmax probabilities for logits, as in AxBench's code.",
  },
};

/** Trains a classifier for each concept. */
export async function fitHeads(method: string, context: FitContext<HeadSettings>): Promise<FittedState> {
  const { options, rng, signal, progress } = context;
  const labelled = requireLabels(method, context.labelled);
  const place = requirePlace(method, context);
  const { concepts } = labelled.set;
  const examples = concepts.map((_, c) => trainExamples(method, labelled, c));
  const used = Uint32Array.from(new Set(examples.flatMap(({ items }) => [...items]))).sort();
  const { bounds } = labelled.activations;
  const empty = used.find((item) => bounds[item] === bounds[item + 1]);
  if (empty !== undefined) {
    const { id } = labelled.set.items[empty]!;
    throw new UserError(`${method}: training item '${id}': expected a text of at least one token, found an empty one`);
  }
  const states = await statesOf(
    place,
    labelled.activations,
    used,
    (done) => progress(done / used.length, 1 + concepts.length, 'last states'),
    signal,
  );
  const heads: HeadWeights[] = [];
  const accuracies: number[] = [];
  for (const [c, { id }] of concepts.entries()) {
    const { items, labels } = examples[c]!;
    const own = new Float32Array(items.length * place.d);
    items.forEach((item, i) => {
      own.set(states.get(item)!, i * place.d);
    });
    const random = rng.fork(id);
    const start = startOf(place.d, random.fork('start'));
    const { weights, accuracy } = await trainHead(own, labels, start, options, random.fork('training'), signal);
    if (!Object.values(weights).every((values) => values.every(Number.isFinite))) {
      throw new UserError(`${method}: concept '${id}': training gave weights that are not finite; lower lr`);
    }
    heads.push(weights);
    accuracies.push(accuracy);
    progress(1 + c + 1, 1 + concepts.length);
  }
  const shapes = headShapes(place.d);
  const stacked = (name: (typeof HEAD)[number]) => {
    const size = heads[0]?.[name].length ?? 0;
    const data = new Float32Array(heads.length * size);
    heads.forEach((head, c) => {
      data.set(head[name], c * size);
    });
    return { shape: [heads.length, ...shapes[name]], data };
  };
  return {
    tensors: Object.fromEntries(HEAD.map((name) => [name, stacked(name)])),
    json: { concepts: concepts.map(({ id }) => id), accuracies },
  };
}

/** The last hidden state of each item at `places`. */
async function statesOf(
  place: Place,
  activations: Parameters<typeof collectedBatches>[0],
  places: Uint32Array,
  progress: (done: number) => void,
  signal?: AbortSignal,
): Promise<Map<number, Float32Array>> {
  const found = new Map<number, Float32Array>();
  for await (const batch of collectedBatches(activations, places)) {
    signal?.throwIfAborted();
    const { n, length } = batch.tokens;
    const states = tf.tidy(() => lastStates(place, batch.tokens)(tf.tensor3d(batch.x, [n, length, batch.d])));
    const values = (await states.data()) as Float32Array;
    states.dispose();
    batch.places.forEach((item, i) => {
      found.set(item, values.slice(i * place.d, (i + 1) * place.d));
    });
    progress(found.size);
  }
  return found;
}

/**
 * The method back from its state: detectors that attribute through the subject. There is no direction, since an attribution
 * is one of a text and not of the site.
 *
 * @param owned What the attribution holds: disposed of with the method.
 */
export function restoreHeads(
  method: string,
  state: FittedState,
  context: Pick<RestoreContext<unknown>, 'd_in' | 'subject' | 'site'>,
  attribution: Attribution,
  owned: { dispose(): void }[] = [],
): FittedMethod {
  const { concepts } = state.json as { concepts: string[] };
  const place = requirePlace(method, context);
  const shapes = headShapes(place.d);
  const headOf = (c: number): NamedTensors =>
    Object.fromEntries(
      HEAD.map((name) => {
        const { data } = state.tensors[name]!;
        const size = data.length / concepts.length;
        return [name, tf.tensor(data.slice(c * size, (c + 1) * size), shapes[name])];
      }),
    );
  return {
    d_in: context.d_in,
    sparse: false,
    detector({ id }: Concept) {
      const c = concepts.indexOf(id);
      if (c < 0) return undefined;
      return {
        async scoreItems({ activations }, places, signal) {
          const head = headOf(c);
          const byPlace = new Map<number, number>();
          try {
            for await (const batch of collectedBatches(activations, places)) {
              signal?.throwIfAborted();
              const scores = await attributionScores(place, head, batch, attribution);
              batch.places.forEach((item, i) => {
                byPlace.set(item, scores[i]!);
              });
            }
          } finally {
            tf.dispose(head);
          }
          return Float32Array.from(places, (item) => byPlace.get(item) ?? -Infinity);
        },
      };
    },
    dispose: () => {
      for (const each of owned) each.dispose();
    },
  };
}
