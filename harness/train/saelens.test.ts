/** @file SAELens checkpoints: forward passes worked out by hand, older configurations, bad files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes } from '../contract.ts';
import { UserError } from '../errors.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { allclose } from '../num/allclose.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { rejection } from '../testing/failing.ts';
import { parseSaeLensConfig } from './saelens-config.ts';
import { saeLensMethod } from './saelens-method.ts';
import { foldInputScale, readSaeLens } from './saelens-read.ts';

const test = suite('saelens');
test.before(async () => {
  await initBackend('wasm');
});

/** Two inputs, three latents; decoder rows of length 1, 2 and 1. */
const WEIGHTS: Record<string, number[]> = {
  W_enc: [1, 0, -1, 0, 1, 1],
  W_dec: [1, 0, 0, 2, -1, 0],
  b_dec: [1, -1],
  b_enc: [0.5, 0, 0],
  threshold: [2, 1, 1],
  b_gate: [-1, 0, 0],
  b_mag: [0.25, 0, 0],
  r_mag: [Math.log(2), 0, 0],
};
const SHAPES: Record<string, number[]> = { W_enc: [2, 3], W_dec: [3, 2], b_dec: [2] };
const CFG = { d_in: 2, d_sae: 3, architecture: 'standard', normalize_activations: 'none' };
const NAMES = {
  standard: ['b_enc'],
  topk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
};

async function withCheckpoint(
  cfg: object,
  use: (folder: string) => Promise<void>,
  weights: Record<string, { shape: number[]; data: number[] }> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-saelens-'));
  const { architecture } = cfg as { architecture?: keyof typeof NAMES };
  const names = ['W_enc', 'W_dec', 'b_dec', ...(NAMES[architecture ?? 'standard'] ?? [])];
  const tensors = names.map((name) => {
    const { shape, data } = weights[name] ?? { shape: SHAPES[name] ?? [3], data: WEIGHTS[name]! };
    return [name, { dtype: 'F32' as const, shape, data }] as const;
  });
  try {
    await writeFile(join(folder, 'cfg.json'), JSON.stringify(cfg));
    await writeSafetensors(join(folder, 'sae_weights.safetensors'), Object.fromEntries(tensors));
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Codes (dense) and reconstruction of x = [3, 1]. */
async function forward(cfg: object): Promise<{ codes: number[]; reconstruction: number[] }> {
  let result = { codes: [] as number[], reconstruction: [] as number[] };
  const before = tf.memory().numTensors;
  await withCheckpoint(cfg, async (folder) => {
    const method = saeLensMethod(await readSaeLens(folder));
    tf.tidy(() => {
      const codes = method.encode!(tf.tensor2d([3, 1], [1, 2])) as Codes;
      const dense = [0, 0, 0];
      const values = codes.values.dataSync();
      if (codes.kind === 'dense') dense.splice(0, 3, ...values);
      else for (const [j, index] of codes.indices.dataSync().entries()) dense[index] = values[j]!;
      result = { codes: dense, reconstruction: [...method.decode!(codes).dataSync()] };
    });
    assert.equal([...method.directions!()], [1, 0, 0, 1, -1, 0]);
    method.dispose();
  });
  assert.is(tf.memory().numTensors, before);
  return result;
}

test('each architecture, by hand', async () => {
  // x − b_dec = [2, 2]: products [2, 2, 0]. x itself: [3, 1, −2].
  const cases: [object, number[], number[]][] = [
    [{ apply_b_dec_to_input: true }, [2.5, 2, 0], [3.5, 3]],
    [{ apply_b_dec_to_input: false }, [3.5, 1, 0], [4.5, 1]],
    [{ architecture: 'topk', k: 1, apply_b_dec_to_input: true }, [2.5, 0, 0], [3.5, -1]],
    // Chosen by 2.5 · 1 against 2 · 2; what is decoded with the unit row is the product.
    [{ architecture: 'topk', k: 1, apply_b_dec_to_input: true, rescale_acts_by_decoder_norm: true }, [0, 4, 0], [1, 3]],
    [{ architecture: 'jumprelu', apply_b_dec_to_input: false }, [3.5, 0, 0], [4.5, -1]],
    [{ architecture: 'gated', apply_b_dec_to_input: true }, [4.25, 2, 0], [5.25, 3]],
  ];
  for (const [cfg, codes, reconstruction] of cases) {
    const got = await forward({ ...CFG, ...cfg });
    allclose(got.codes, codes, {}, JSON.stringify(cfg));
    allclose(got.reconstruction, reconstruction, {}, JSON.stringify(cfg));
  }
});

test('an input scale that SAELens has not folded', async () => {
  const cfg = { ...CFG, normalize_activations: 'expected_average_only_in', apply_b_dec_to_input: true };
  const given = { ...CFG, apply_b_dec_to_input: true };
  await withCheckpoint(cfg, async (folder) => {
    const unfolded = await readSaeLens(folder);
    assert.is(unfolded.config.inputScale, 'estimate');
    assert.throws(() => saeLensMethod(unfolded), /not folded/);
    // Weights for 2x: x = [1.5, 0.5] gives the codes of [3, 1] and half of their reconstruction [3.5, 3].
    const methods = [saeLensMethod(foldInputScale(unfolded, 2))];
    await writeFile(join(folder, 'activation_scaler.json'), '{"scaling_factor": 2}');
    methods.push(saeLensMethod(await readSaeLens(folder)));
    for (const method of methods) {
      tf.tidy(() => {
        const codes = method.encode!(tf.tensor2d([1.5, 0.5], [1, 2]));
        allclose(codes.values.dataSync(), [2.5, 2, 0]);
        allclose(method.decode!(codes).dataSync(), [1.75, 1.5]);
      });
      method.dispose();
    }
    await writeFile(join(folder, 'activation_scaler.json'), '{"scaling_factor": null}');
    assert.is((await readSaeLens(folder)).config.inputScale, 'estimate');
    await writeFile(join(folder, 'activation_scaler.json'), '{"scaling_factor": -1}');
    assert.match(
      (await rejection(readSaeLens(folder))).message,
      /scaling_factor: expected a positive number or null, found -1/,
    );
  });
  await withCheckpoint(given, async (folder) => {
    await writeFile(join(folder, 'activation_scaler.json'), '{"scaling_factor": 2}');
    assert.is((await readSaeLens(folder)).config.inputScale, undefined, 'folded already');
  });
});

test('configurations from before version 6', () => {
  const flat = {
    ...{ d_in: 4, d_sae: 8, activation_fn_str: 'topk', activation_fn_kwargs: { k: 3 }, normalize_activations: false },
    ...{ hook_point: 'blocks.2.hook_resid_pre', model_name: 'gpt2' },
  };
  const { architecture, k, hook_name, model_name, form } = parseSaeLensConfig('cfg.json', flat);
  assert.equal([architecture, k, hook_name, model_name], ['topk', 3, 'blocks.2.hook_resid_pre', 'gpt2']);
  assert.equal(form, { centred: true, rescaleByDecoderNorm: false });
  const present = { ...CFG, metadata: { hook_name: 'blocks.1.hook_mlp_out' } };
  assert.is(parseSaeLensConfig('cfg.json', present).hook_name, 'blocks.1.hook_mlp_out');
});

test('bad checkpoints are refused with file, field, expected and found', async () => {
  const nan = { W_dec: { shape: [3, 2], data: [1, 0, 0, Number.NaN, -1, 0] } };
  const infinite = { b_dec: { shape: [2], data: [0, Infinity] } };
  const cases: [RegExp, object, Parameters<typeof withCheckpoint>[2]?][] = [
    [
      /cfg.json: architecture: expected standard, topk, jumprelu, gated, found "temporal"/,
      { ...CFG, architecture: 'temporal' },
    ],
    [/cfg.json: d_in: expected a whole number of at least 1, found "2"/, { ...CFG, d_in: '2' }],
    [/cfg.json: d_sae: expected a whole number of at least 1, found nothing/, { ...CFG, d_sae: undefined }],
    [/cfg.json: k: expected at most d_sae = 3, found 4/, { ...CFG, architecture: 'topk', k: 4 }],
    [/cfg.json: k: expected a whole number of at least 1, found nothing/, { ...CFG, architecture: 'topk' }],
    [
      /normalize_activations: expected none or expected_average_only_in, found "layer_norm"/,
      { ...CFG, normalize_activations: 'layer_norm' },
    ],
    [/apply_b_dec_to_input: expected true or false, found "yes"/, { ...CFG, apply_b_dec_to_input: 'yes' }],
    [/tensor 'W_enc': expected shape \[4, 3\], found \[2, 3\]/, { ...CFG, d_in: 4 }],
    [/tensor 'b_enc': expected shape \[3\], found \[2\]/, CFG, { b_enc: { shape: [2], data: [0, 0] } }],
    [/tensor 'W_dec': expected finite values, found 1 of 6 NaN or infinite, the first is NaN at index 3/, CFG, nan],
    [/tensor 'b_dec': expected finite values.*Infinity at index 1/, CFG, infinite],
    [/cfg.json: expected a JSON object, found \[\]/, []],
  ];
  const before = tf.memory().numTensors;
  for (const [pattern, cfg, weights] of cases) {
    const use = async (folder: string) => {
      const error = await readSaeLens(folder).then(
        () => new Error(`accepted: ${pattern}`),
        (found: Error) => found,
      );
      assert.match(error.message, pattern);
      assert.instance(error, UserError);
    };
    await withCheckpoint(cfg, use, weights);
  }
  await withCheckpoint({ ...CFG, architecture: 'jumprelu' }, async (folder) => {
    await rm(join(folder, 'sae_weights.safetensors'));
    const error = await readSaeLens(folder).then(
      () => new Error('accepted'),
      (found: Error) => found,
    );
    assert.match(error.message, /sae_weights.safetensors does not exist/);
  });
  assert.is(tf.memory().numTensors, before);
});

test.run();
