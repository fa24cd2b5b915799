/** @file Building blocks of SAE variants (`saxbench/sae`): encoders, start values, AuxK, costs, the top-k family, sparsity targets. */
export * from './auxk.ts';
export * from './cost.ts';
export * from './dead-indices.ts';
export * from './decoder.ts';
export * from './encoder.ts';
export * from './few-active.ts';
export * from './k-means.ts';
export * from './learning-rate.ts';
export * from './linear-parts.ts';
export * from './sparsity-target.ts';
export * from './start-threshold.ts';
export * from './threshold-codes.ts';
export * from './topk-family.ts';
export * from './topk-family-loss.ts';
export * from './variance.ts';
export * from './warmup.ts';
