/** @file One SAE trained by its default recipe on the synthetic data, and how well it finds the true dictionary. */
import { memorySet } from '../../activations/activation-set.ts';
import type { Codes, SaeDefinition, TrainingOptions } from '../../contract.ts';
import { reconstruct } from '../../kit/reconstruct.ts';
import { csrFromDense, csrFromTopk } from '../../num/csr.ts';
import { joined } from '../../num/join.ts';
import { meanMaxCosine } from '../../num/metrics/decoder.ts';
import { createReconstruction } from '../../num/metrics/reconstruction.ts';
import type { TokenCodes } from '../../num/metrics/reconstruction-sums.ts';
import { type Tensor2D, tf } from '../../num/tf.ts';
import { trainSae } from '../../train.ts';
import type { SyntheticData } from './data.ts';

/** On the held-out rows, with the inference rule; the peer's script measures the same. */
export interface Recovery {
  /** Explained variance 1 − Σ‖x − x̂‖² / Σ‖x − mean‖². */
  ev: number;
  /** Mean over true features of the largest cosine with a decoder row. */
  mmcs: number;
  l0: number;
  /** Part of the latents that no held-out row activates. */
  dead: number;
}

/** Rows encoded at a time. */
const BATCH = 1000;

function tokenCodes(codes: Codes): TokenCodes {
  if (codes.kind === 'dense') {
    const [n, d_sae] = codes.values.shape;
    return csrFromDense(codes.values.dataSync() as Float32Array, n, d_sae);
  }
  const [n, k] = codes.indices.shape;
  return csrFromTopk(
    codes.indices.dataSync() as Int32Array,
    codes.values.dataSync() as Float32Array,
    n,
    k,
    codes.d_sae,
  );
}

/** The option by which a variant is told how many latents are to be active in a row; {} where it has none. */
export function sparsityOf(
  { hyperparameters }: Pick<SaeDefinition, 'hyperparameters'>,
  l0: number,
): Record<string, number> {
  if ('k' in hyperparameters) return { k: l0 };
  return 'targetL0' in hyperparameters ? { targetL0: l0 } : {};
}

export interface RecoverOptions {
  hp?: Record<string, unknown>;
  /** As many as there are features, when not given. */
  d_sae?: number;
  training?: Partial<TrainingOptions>;
  seed: number;
  /** Rows that follow one another; each row stands alone where none are told. */
  run?: number;
  /** What a variant with a target reconstructs, whose dictionary it is to find. */
  target?: SyntheticData;
  /** Shape of a joint site's rows. */
  input?: number[];
}

/** Where the rows stand in their runs. */
function runsOf(rows: number, run: number) {
  const bounds = Array.from({ length: Math.ceil(rows / run) + 1 }, (_, i) => Math.min(rows, i * run));
  return { bounds: Uint32Array.from(bounds), positions: Uint32Array.from({ length: rows }, (_, i) => i % run) };
}

/** Trains on the first `training.tokens` rows, each seen once, or again and again where there are fewer, and measures. Needs a backend. */
export async function recover<H>(
  definition: SaeDefinition<H>,
  data: SyntheticData,
  options: RecoverOptions,
): Promise<Recovery> {
  const { world, train, test } = data;
  const { d, features, l0 } = world;
  const d_sae = options.d_sae ?? features;
  const wanted = options.target ?? data;
  const tokens = options.training?.tokens ?? train.length / d;
  const rows = Math.min(tokens, train.length / d);
  const set = (x: Float32Array) =>
    memorySet(x.subarray(0, rows * d), d, {
      key: `synthetic ${rows} ${world.spread}`,
      ...(options.run && runsOf(rows, options.run)),
    });
  const trained = await trainSae(definition, {
    activations: set(train),
    ...(options.target && { target: set(wanted.train) }),
    ...(options.input && { input: options.input }),
    d_sae,
    hp: { ...sparsityOf(definition, l0), ...options.hp },
    training: { tokens, ...options.training },
    seed: options.seed,
  });
  const { method } = trained;
  const sums = createReconstruction(d, d_sae);
  for (let start = 0; start < test.length; start += BATCH * d) {
    const x = test.subarray(start, start + BATCH * d);
    tf.tidy(() => {
      const rows = tf.tensor2d(x, [x.length / d, d]) as Tensor2D;
      const codes = method.encode!(rows) as Codes;
      const xHat = reconstruct(method, rows, codes).dataSync() as Float32Array;
      sums.add({ x: wanted.test.subarray(start, start + BATCH * d), xHat, codes: tokenCodes(codes) });
    });
  }
  const { explained_variance, l0: active, fraction_alive } = sums.metrics();
  const learned = method.directions!();
  // A latent of signed codes has two directions.
  const negated = learned.map((value) => -value);
  const directions = method.sparse ? learned : joined(Float32Array, [learned, negated]);
  const mmcs = meanMaxCosine(wanted.dictionary, directions, d);
  trained.dispose();
  return { ev: explained_variance!, mmcs, l0: active!, dead: 1 - fraction_alive! };
}
