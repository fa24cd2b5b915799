/** @file What the contract hands on from `num/` and `io/`: the building blocks that plug-ins may use. */

export { atomicWrite } from '../io/atomic.ts';
export { folderFingerprint } from '../io/fingerprint.ts';
export { sha256File, sha256Json } from '../io/hash.ts';
export { decodeImage } from '../io/image.ts';
export { type ImagePreprocessing, loadImagePreprocessing, preprocessImages } from '../io/image-preprocessing.ts';
export { canonicalJson, readJson } from '../io/json.ts';
export { writeSafetensors } from '../io/safetensors-write.ts';
export { loadTokenizer } from '../io/tokenizer.ts';
export { openWeights } from '../io/weights.ts';
export { batchTopk, batchTopkMask } from '../num/ops/batch-topk.ts';
export { geometricMedian } from '../num/ops/geometric-median.ts';
export { sparseDecode } from '../num/ops/sparse-decode.ts';
export { stopGradient } from '../num/ops/stop-gradient.ts';
export { heavisideStep, jumprelu } from '../num/ops/threshold.ts';
export { topkEncode } from '../num/ops/topk-encode.ts';
export { type TopkCodes, topkSparse } from '../num/ops/topk-sparse.ts';
export { createRng, type Rng } from '../num/rng.ts';
export * from '../num/tf.ts';
export { bootstrapMean, type Estimate } from '../num/stats/bootstrap.ts';
export { quantiles, sortedQuantile } from '../num/stats/quantiles.ts';
export { disposeCodes, readCodes } from './code-rows.ts';
export { type KeptBatch, scanKept } from './kept-rows.ts';
export { emptyCell, measuredCell, plainCell } from './metric-value.ts';
export { type PooledLatents, poolLatents } from './pooled-latents.ts';
