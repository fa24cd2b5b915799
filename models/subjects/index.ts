/** @file Building blocks of families of subjects (`saxbench/subjects`): what a family declares, and the plug-in made of it. */

export type { AttentionPooling } from './attention-pooling.ts';
export type { CausalLm } from './causal-lm.ts';
export type { ConfigReader } from './config.ts';
export { type DecoderDefaults, readDecoder } from './decoder.ts';
export { type CausalLmFamily, defineCausalLm } from './define-causal-lm.ts';
export { type DualEncoderFamily, defineDualEncoder } from './define-dual-encoder.ts';
export { defineImageEncoder, type ImageEncoder, type ImageEncoderFamily } from './define-image-encoder.ts';
export { defineTextEncoder, type TextEncoderFamily } from './define-text-encoder.ts';
export type { DualEncoder, TextTower } from './dual-encoder.ts';
export { createRotary, type Positions, type Rotary, type RotarySpec, readRotary } from './positions.ts';
export type { AttentionWindow, BlockNames, StackSpec } from './stack-spec.ts';
export type { TextEncoder } from './text-encoder.ts';
export type { VisionTower } from './vision-tower.ts';
export type { FileLayout, StoredLinear } from './weights.ts';
export { readWindow } from './window.ts';
