/** @file LoReFT: the stream is edited within a low-rank subspace, as a learned function of itself. */
import {
  defineBaseline,
  type InterventionContext,
  type NamedTensors,
  type Tensor2D,
  type Tensor3D,
  tf,
  UserError,
} from '../harness/contract.ts';
import { blocksOf, LAYERS_SCHEMA, type Layers, streamWidth } from './parts/trained/layers.ts';
import { presetOptions, TRAINING_SCHEMA, type TrainingOptions, withPreset } from './parts/trained/presets.ts';
import {
  type Change,
  restoreChanges,
  strengthColumn,
  trainChanges,
  type Values,
} from './parts/trained/train-changes.ts';

interface Settings extends TrainingOptions {
  rank: number;
  layers: Layers;
  positions: number;
}

type Options = { preset: string } & Partial<Settings>;

const PRESETS: Record<string, Settings> = {
  small: { epochs: 8, batchTexts: 12, learningRate: 0.01, maxLength: 128, rank: 4, layers: 'site', positions: 0 },
  axbench: {
    epochs: 24,
    batchTexts: 36,
    learningRate: 0.0009,
    maxLength: 1024,
    rank: 4,
    layers: 'spread',
    positions: 5,
  },
};

/**
 * x + s · Rᵀ(W x + b − R x), with orthonormal rows of R (Wu et al. 2024), trained on responses with the concept; s is the
 * strength, 1 in training. R is the orthonormal part of a free matrix, by Gram and Schmidt; W begins as R and b as 0, so that
 * training begins with the subject as it is. The first position of a text is left alone. AxBench changes the first and the last
 * five positions of a prompt, here at most half of it each; texts without a marked response have prompts of one token.
 */
export default defineBaseline<Options>({
  id: 'loreft',
  title: 'Low-rank representation finetuning (LoReFT)',
  paper: 'Wu et al. 2024 (ReFT), arXiv:2404.03592; Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: presetOptions(
    PRESETS,
    "small: tuned on tiny-lm-planted; axbench: AxBench's own hyper-parameters (18 texts twice as one batch).",
    {
      ...TRAINING_SCHEMA,
      ...LAYERS_SCHEMA,
      rank: { type: 'integer', minimum: 1, maximum: 1024, description: 'Dimensions of the subspace.' },
      positions: {
        type: 'integer',
        minimum: 0,
        maximum: 1024,
        description: 'So many first and last positions of the prompt are changed; 0: all positions.',
      },
    },
  ),
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const settings = withPreset(PRESETS, context.options);
    const { rank, layers, positions, maxLength } = settings;
    const state = await trainChanges(
      {
        ...{ id: 'loreft', settings, maxLength, change: loreft(positions) },
        start(source, rng) {
          const values: Values = {};
          for (const block of blocksOf('loreft', source, layers)) {
            const d = streamWidth(source, block);
            if (rank > d)
              throw new UserError(`loreft: rank: expected at most the ${d} dimensions of the stream, found ${rank}`);
            const data = rng.fork(`${block}`).fillNormal(new Float32Array(rank * d));
            const rotation = tf.tidy(() => orthonormal(tf.tensor2d(data, [rank, d])).dataSync() as Float32Array);
            values[`${block}.R`] = { shape: [rank, d], data: rotation.slice() };
            values[`${block}.W`] = { shape: [rank, d], data: rotation.slice() };
            values[`${block}.b`] = { shape: [rank], data: new Float32Array(rank) };
          }
          return values;
        },
      },
      context,
    );
    return { ...state, json: { ...(state.json as object), positions } };
  },
  restore: (state, { d_in }) => restoreChanges(state, d_in, loreft((state.json as { positions: number }).positions)),
});

/** Interventions after the blocks that parameters are of. */
export const loreft =
  (positions: number): Change =>
  (params, strengths) => ({
    interventions: [...new Set(Object.keys(params).map((name) => name.split('.')[0]!))].map((block) => ({
      site: `blocks.${block}.hook_resid_post`,
      apply: (x, context) => edited(x, params, block, positions, strengths, context),
    })),
  });

function edited(
  x: Tensor3D,
  params: NamedTensors,
  block: string,
  positions: number,
  strengths: readonly number[],
  context: InterventionContext,
): Tensor3D {
  const [n, length, d] = x.shape;
  if (positions > 0 && context.phase === 'generated') return x;
  const places = placesOf(n, length, positions, context);
  const part = (name: string) => params[`${block}.${name}`]!;
  const rotation = orthonormal(part('R') as Tensor2D);
  const rows = tf.reshape(x, [n * length, d]);
  const wanted = tf.add(tf.matMul(rows, part('W') as Tensor2D, false, true), part('b'));
  const edit = tf.matMul(tf.sub(wanted, tf.matMul(rows, rotation, false, true)) as Tensor2D, rotation);
  const scale = tf.mul(places, strengthColumn(strengths));
  return tf.add(x, tf.mul(scale, tf.reshape(edit, [n, length, d]))) as Tensor3D;
}

/** [n, length, 1]: 1 where the stream is edited. */
function placesOf(
  n: number,
  length: number,
  positions: number,
  { offset, promptLengths }: InterventionContext,
): Tensor3D {
  const places = new Float32Array(n * length);
  if (positions > 0 && !promptLengths) {
    throw new Error('loreft: positions: expected a batch that says where prompts end (promptLengths), found none');
  }
  for (let row = 0; row < n; row++) {
    const prompt = promptLengths?.[row] ?? 0;
    const size = Math.min(positions, Math.floor((prompt - 1) / 2));
    for (let p = 0; p < length; p++) {
      const inside = positions === 0 ? offset + p > 0 : (p > 0 && p <= size) || (p >= prompt - size && p < prompt);
      places[row * length + p] = inside ? 1 : 0;
    }
  }
  return tf.tensor3d(places, [n, length, 1]);
}

/** The orthonormal rows that span what the rows of a matrix [rank, d] span, each with a positive share of its own row. */
export function orthonormal(matrix: Tensor2D): Tensor2D {
  const rows: Tensor2D[] = [];
  for (let i = 0; i < matrix.shape[0]; i++) {
    const own = tf.slice(matrix, [i, 0], [1, -1]);
    const left = rows.reduce((rest, row) => tf.sub<Tensor2D>(rest, tf.mul(tf.sum(tf.mul(own, row)), row)), own);
    rows.push(tf.div(left, tf.sqrt(tf.sum(tf.square(left)))));
  }
  return rows.length === 1 ? rows[0]! : (tf.concat(rows, 0) as Tensor2D);
}
