/** @file What the contract hands on from `num/` and `io/`: the building blocks that plug-ins may use. */

export { createRng, type Rng } from '../num/rng.ts';
export * from '../num/tf.ts';
