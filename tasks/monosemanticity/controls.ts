/** @file What a dictionary's MS is compared with: the same activations along neurons, components and random directions. */
import {
  type ActivationSet,
  type Codes,
  type PooledLatents,
  type Prepared,
  type Tensor2D,
  tf,
} from '../../harness/contract.ts';
import {
  covariance,
  createRng,
  ENCODE_ROWS,
  joined,
  poolLatents,
  scanKept,
  symmetricEigen,
} from '../../harness/kit/index.ts';

type ControlName = 'neurons' | 'pca' | 'random';

/** Positions that the components are computed from. */
const PCA_ROWS = 32_768;

/**
 * Bases of the controls. The components are those of the test activations themselves (at most 32,768 kept positions):
 * they use no labels, and what they gain by knowing the test set is to the dictionary's disadvantage.
 */
export async function prepareControls(test: ActivationSet): Promise<Prepared['arrays']> {
  const { d_in } = test;
  const parts: Float32Array[] = [];
  let rows = 0;
  for await (const batch of scanKept(test, ENCODE_ROWS)) {
    parts.push(batch.x.slice());
    rows += batch.rows;
    if (rows >= PCA_ROWS) break;
  }
  const random = createRng('monosemanticity/random').fillNormal(new Float32Array(d_in * d_in));
  if (rows < 2) return { random: { shape: [d_in, d_in], data: random } };
  const { vectors } = symmetricEigen(covariance(joined(Float32Array, parts), d_in).covariance, d_in);
  return {
    random: { shape: [d_in, d_in], data: random },
    pca: { shape: [d_in, d_in], data: Float32Array.from(vectors) },
  };
}

/** Dense latents of items. */
export type DenseLatents = PooledLatents & { kind: 'dense' };

/**
 * The d_in units of a control on the items of `test`, whose bases `prepared` holds: the same for all methods. MS does not
 * change under the scale or the offset of a unit, so random directions need no unit length and components no centring.
 */
export async function poolControl(
  name: ControlName,
  prepared: Pick<Prepared, 'arrays'>,
  test: ActivationSet,
  options: Parameters<typeof poolLatents>[2],
): Promise<DenseLatents> {
  const { d_in } = test;
  const basis = name === 'neurons' ? undefined : tf.tensor2d(prepared.arrays[name]!.data as Float32Array, [d_in, d_in]);
  const encode = (x: Tensor2D): Codes => ({
    kind: 'dense',
    values: basis ? tf.matMul(x, basis, false, true) : tf.clone(x),
  });
  try {
    const pooled = await poolLatents({ d_sae: d_in, sparse: false, encode }, test, options);
    if (pooled.kind !== 'dense') throw new Error('internal: controls are dense');
    return pooled;
  } finally {
    basis?.dispose();
  }
}
