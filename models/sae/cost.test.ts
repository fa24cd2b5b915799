/** @file Parameters and multiply-accumulates of every variant against the published formulas, at published sizes too. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SaeDefinition, SaeShape } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { withDefaults } from '../../harness/train/options.ts';
import abstopk from './abstopk.ts';
import archetypal from './archetypal.ts';
import batchtopk from './batchtopk.ts';
import frozenDecoder from './frozen-decoder.ts';
import frozenEncoder from './frozen-encoder.ts';
import gated from './gated.ts';
import jumprelu from './jumprelu.ts';
import kron from './kron.ts';
import matchingPursuit from './matching-pursuit.ts';
import matryoshka from './matryoshka.ts';
import multiTopk from './multi-topk.ts';
import ortsae from './ortsae.ts';
import pAnneal from './p-anneal.ts';
import relu from './relu.ts';
import reluBricken from './relu-bricken.ts';
import skipTranscoder from './skip-transcoder.ts';
import softFrozenDecoder from './soft-frozen-decoder.ts';
import switchSae from './switch.ts';
import temporal from './temporal.ts';
import topk from './topk.ts';
import transcoder from './transcoder.ts';
import vaease from './vaease.ts';

const test = suite('sae cost');
test.before(async () => {
  await initBackend('wasm');
});

/** The sizes in the formulas. */
interface Sizes {
  d: number;
  F: number;
}
type Count = (sizes: Sizes) => number;

/** What a variant costs: `parameters` are those that `init` gives, `encode` and `decode` what one token takes. */
interface Cost {
  definition: unknown;
  hp: Record<string, unknown>;
  parameters: Count;
  encode: Count;
  decode: Count;
}

/** Two matrices and two biases. */
const usual: Count = ({ d, F }) => 2 * d * F + F + d;
const K = 4;
const linear = (definition: unknown, option: 'k' | 'targetL0', parameters = usual): Cost => ({
  ...{ definition, hp: { [option]: K }, parameters },
  ...{ encode: ({ d, F }) => d * F, decode: ({ d }) => K * d },
});
const EXPERTS = 2;
const CENTROIDS = 5;
const COSTS: Cost[] = [
  // The threshold of BatchTopK's kin, one number more, comes with training.
  ...[topk, batchtopk, matryoshka, temporal, ortsae, abstopk, multiTopk].map((definition) => linear(definition, 'k')),
  ...[frozenDecoder, softFrozenDecoder, frozenEncoder].map((definition) => linear(definition, 'k')),
  ...[relu, reluBricken, pAnneal, transcoder].map((definition) => linear(definition, 'targetL0')),
  linear(gated, 'targetL0', ({ d, F }) => 2 * d * F + 3 * F + d),
  linear(jumprelu, 'targetL0', ({ d, F }) => 2 * d * F + 2 * F + d),
  {
    definition: relu,
    hp: { targetL0: null },
    parameters: usual,
    encode: ({ d, F }) => d * F,
    decode: ({ d, F }) => F * d,
  },
  {
    definition: kron,
    hp: { k: K, m: 2, n: 4 },
    parameters: ({ d, F }) => d * (F / 8) * (2 + 4) + d * F + d,
    encode: ({ d, F }) => d * (F / 8) * (2 + 4) + F,
    decode: ({ d }) => K * d,
  },
  {
    definition: switchSae,
    hp: { k: K, experts: EXPERTS },
    parameters: ({ d, F }) => 2 * d * F + d * EXPERTS + 2 * d,
    encode: ({ d, F }) => d * EXPERTS + (d * F) / EXPERTS,
    decode: ({ d }) => K * d,
  },
  {
    definition: vaease,
    hp: { encoder: 'linear' },
    parameters: ({ d, F }) => 2 * F * d + 2 * F + F ** 2 + F + F * d + d + 1,
    encode: ({ d, F }) => 2 * F * d + F ** 2,
    decode: ({ d, F }) => F * d,
  },
  {
    definition: vaease,
    hp: { encoder: 'diagonal' },
    parameters: ({ d, F }) => 2 * F * d + 2 * F + 2 * F + F * d + d + 1,
    encode: ({ d, F }) => 2 * F * d + F,
    decode: ({ d, F }) => F * d,
  },
  {
    definition: vaease,
    hp: { encoder: 'mlp' },
    parameters: ({ d, F }) => 2 * F * d + 2 * F + 3 * (4 * F ** 2 + 2 * F) + F * d + d + 1,
    encode: ({ d, F }) => 2 * F * d + 12 * F ** 2,
    decode: ({ d, F }) => F * d,
  },
  {
    definition: archetypal,
    hp: { k: K, centroids: CENTROIDS },
    // The centroids are a buffer.
    parameters: ({ d, F }) => 2 * d * F + F + F * CENTROIDS + 1,
    encode: ({ d, F }) => d * F,
    decode: ({ d }) => K * d,
  },
  {
    definition: skipTranscoder,
    hp: { k: K },
    parameters: ({ d, F }) => 2 * d * F + F + d + d * d,
    encode: ({ d, F }) => d * F + d * d,
    decode: ({ d }) => K * d,
  },
  {
    definition: matchingPursuit,
    hp: { k: K },
    parameters: ({ d, F }) => d * F + d,
    encode: ({ d, F }) => K * d * F,
    decode: ({ d }) => K * d,
  },
];

/** Published counts of multiply-accumulates, encoding and decoding together. */
const PUBLISHED: [definition: unknown, hp: Record<string, unknown>, d: number, F: number, macs: number][] = [
  [topk, { k: 50 }, 1536, 32768, 50_408_448],
  [kron, { k: 50, m: 2, n: 4 }, 1536, 32768, 37_858_304],
  [kron, { k: 50, m: 4, n: 8 }, 1536, 32768, 18_983_936],
  [switchSae, { k: 64, experts: 8 }, 768, 24576, 2_414_592],
  [switchSae, { k: 64, experts: 32 }, 768, 24576, 663_552],
  [switchSae, { k: 64, experts: 128 }, 768, 24576, 294_912],
];

const shapeOf = (d: number, F: number): SaeShape => ({ d_in: d, d_sae: F, d_out: d });

function optionsOf(definition: SaeDefinition, hp: Record<string, unknown>): Record<string, unknown> {
  return withDefaults<Record<string, unknown>>(definition.hyperparameters, hp, 'option');
}

for (const { definition: given, hp, parameters, encode, decode } of COSTS) {
  const definition = given as SaeDefinition;
  test(`${definition.id} ${JSON.stringify(hp)}: parameters and multiply-accumulates follow the formulas`, () => {
    for (const [d, F] of [
      [6, 16],
      [8, 64],
    ] as const) {
      const [shape, options] = [shapeOf(d, F), optionsOf(definition, hp)];
      const found = tf.tidy(() => {
        const sample = tf.tensor2d(createRng(3).fillNormal(new Float32Array(100 * d)), [100, d]) as Tensor2D;
        const { params } = definition.init(shape, options, { rng: createRng(0), sample, targetSample: sample });
        return Object.values(params).reduce((sum, param) => sum + param.size, 0);
      });
      assert.is(found, parameters({ d, F }), 'parameters');
      assert.equal(definition.macs!(shape, options), { encode: encode({ d, F }), decode: decode({ d, F }) });
    }
  });
}

for (const [given, hp, d, F, macs] of PUBLISHED) {
  const definition = given as SaeDefinition;
  test(`${definition.id} ${JSON.stringify(hp)} at d ${d}, F ${F}: ${macs} multiply-accumulates, as published`, () => {
    const { encode, decode } = definition.macs!(shapeOf(d, F), optionsOf(definition, hp));
    assert.is(encode + decode, macs);
  });
}

test.run();
