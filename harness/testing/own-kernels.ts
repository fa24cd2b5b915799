/** @file One right call of each kernel of our own, as a start for wrong ones. */

type Described = readonly [shape: readonly number[], dtype: 'float32' | 'int32' | 'bool'];

const f = (...shape: number[]): Described => [shape, 'float32'];
const i = (...shape: number[]): Described => [shape, 'int32'];
const b = (...shape: number[]): Described => [shape, 'bool'];

const sizes = { n: 2, t: 3, columns: 3, capacity: 4, heads: 2, kvHeads: 1, width: 4 };
const attention = { ...sizes, scale: 0.5, causal: true, window: 2 };
const shape = {
  ...{ heads: 2, kvHeads: 1, headDim: 4, causal: true, d: 8, mlp: 6, norm: 'rms', epsilon: 1e-5, activation: 'silu' },
  ...{ gated: true, bias: { attention: false, mlp: false } },
};
/** Room of a packed weight [rows, columns]. */
const packed = (rows: number, columns: number) => rows * Math.ceil(columns / 32) * 32;
const blockWeights = 2 * 8 + packed(8, 8) + 2 * packed(8, 4) + packed(8, 8) + 2 * packed(8, 6) + packed(6, 8);

/** Inputs by name and attributes of a call that is served. */
export const OWN_KERNELS: Record<string, { inputs: Record<string, Described>; attrs?: Record<string, unknown> }> = {
  SaxRmsNorm: { inputs: { x: f(3, 8), gain: f(8) }, attrs: { epsilon: 1e-5 } },
  SaxLayerNorm: { inputs: { x: f(3, 8), gain: f(8), bias: f(8) }, attrs: { epsilon: 1e-5 } },
  SaxRmsNormGrad: { inputs: { dy: f(3, 8), x: f(3, 8), rstd: f(3, 1), gain: f(8) } },
  SaxLayerNormGrad: { inputs: { dy: f(3, 8), x: f(3, 8), mean: f(3, 1), rstd: f(3, 1), gain: f(8) } },
  SaxSoftmaxGrad: { inputs: { dy: f(3, 8), y: f(3, 8) } },
  SaxLogSoftmax: { inputs: { x: f(3, 8) } },
  SaxLogSoftmaxGrad: { inputs: { dy: f(3, 8), y: f(3, 8) } },
  SaxLogSumExp: { inputs: { x: f(3, 8) } },
  SaxDraw: { inputs: { weights: f(3, 8), u: i(6) } },
  SaxActivation: { inputs: { x: f(3, 8), up: f(3, 8) }, attrs: { kind: 'silu' } },
  SaxActivationGrad: { inputs: { dy: f(3, 8), x: f(3, 8), up: f(3, 8) }, attrs: { kind: 'gelu' } },
  SaxAdam: {
    inputs: { param0: f(4, 3), m0: f(4, 3), v0: f(4, 3), grad0: f(4, 3) },
    attrs: {
      ...{ learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 1, clipNorm: 1 },
      weightDecay: [0],
      unitRows: [true],
    },
  },
  SaxAttention: { inputs: { q: f(6, 8), k: f(8, 4), v: f(8, 4), seen: b(2, 3) }, attrs: attention },
  SaxAttentionGrad: {
    inputs: { dy: f(6, 8), mixed: f(6, 8), sums: f(2, 2, 3), q: f(6, 8), k: f(8, 4), v: f(8, 4), seen: b(2, 3) },
    attrs: attention,
  },
  SaxRotary: { inputs: { x: f(6, 8), cos: f(3, 2), sin: f(3, 2) }, attrs: { heads: 2, direction: 1 } },
  SaxCacheWrite: { inputs: { cache: f(8, 4), rows: f(4, 4) }, attrs: { n: 2, column: 1 } },
  SaxSquaredErrors: { inputs: { target: f(5, 4), reconstruction: f(5, 4) }, attrs: { variance: true } },
  SaxSquaredErrorGrad: { inputs: { target: f(5, 4), reconstruction: f(5, 4), dy: f() } },
  SaxFiring: { inputs: { codes: f(5, 4) } },
  SaxJump: { inputs: { z: f(5, 4), theta: f(4) }, attrs: { rectify: true } },
  SaxJumpGrad: { inputs: { dy: f(5, 4), z: f(5, 4), theta: f(4) }, attrs: { bandwidth: 1 } },
  SaxBand: { inputs: { z: f(5, 4), theta: f(5, 4) }, attrs: { bandwidth: 1 } },
  SaxThresholdCounts: { inputs: { z: f(5, 4), theta: f(4) }, attrs: { bandwidth: 1 } },
  SaxReluGrad: { inputs: { dy: f(5, 4), y: f(5, 4) } },
  SaxDenseEncodeGrad: {
    inputs: { x: f(5, 3), dy: f(5, 4), seen: f(5, 4), theta: f(4) },
    attrs: { bandwidth: 1 },
  },
  SaxSegmentSum: { inputs: { x: f(3, 5), segmentIds: i(5) }, attrs: { axis: 1, numSegments: 4 } },
  SaxPackLinear: { inputs: { w: f(5, 4) } },
  SaxPackWeight: { inputs: { w: f(10, 6) }, attrs: { in: 6, out: 10, type: 'F32' } },
  SaxUnpackWeight: { inputs: { packed: f(packed(6, 10)) }, attrs: { in: 6, out: 10, type: 'F32' } },
  SaxPackedRows: { inputs: { packed: i(packed(6, 10) / 2), ids: i(3) }, attrs: { in: 6, out: 10, type: 'BF16' } },
  SaxLinear: {
    inputs: { x: f(4, 6), packed: i(packed(6, 10) / 2), bias: f(10) },
    attrs: { in: 6, out: 10, type: 'BF16' },
  },
  SaxBlock: {
    inputs: { x: f(6, 8), weights: f(blockWeights), cos: f(3, 2), sin: f(3, 2), seen: b(2, 3) },
    attrs: { n: 2, t: 3, columns: 3, capacity: 3, firstColumn: false, window: 2, shape },
  },
  SaxEncodeTopK: { inputs: { x: f(1, 6), W_enc: f(6, 9), bias: f(9), ends: i(1) }, attrs: { k: 2 } },
  SaxKronEncode: {
    inputs: { x: f(3, 5), W_base: f(5, 4), W_extension: f(5, 6), among: f(12) },
    attrs: { heads: 2, m: 2, n: 3, k: 2, least: 1e-6 },
  },
  SaxEncodeAbove: { inputs: { x: f(4, 6), W_enc: f(6, 9), bias: f(9) }, attrs: { limit: 30 } },
  SaxEncodeBatchTopK: { inputs: { x: f(4, 6), W_enc: f(6, 9), bias: f(9) }, attrs: { count: 5 } },
  SaxEncodeGrad: {
    inputs: { x: f(4, 6), dy: f(4, 2), codes: f(4, 2), indices: i(4, 2), W_enc: f(6, 9), centre: f(6) },
  },
  SparseDecode: { inputs: { values: f(4, 2), indices: i(4, 2), W_dec: f(9, 6) } },
  SparseDecodeGradValues: { inputs: { dy: f(4, 6), indices: i(4, 2), W_dec: f(9, 6), codes: f(4, 2) } },
  SaxSparseDecodeGrad: { inputs: { dy: f(4, 6), values: f(4, 2), indices: i(4, 2), W_dec: f(9, 6) } },
  SparseDecodeGradDecoder: { inputs: { dy: f(4, 6), values: f(4, 2), indices: i(4, 2) }, attrs: { d_sae: 9 } },
};
