/** @file SAELens checkpoints: forward passes worked out by hand, older configurations, bad files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes } from '../../contract.ts';
import { UserError } from '../../errors.ts';
import { writeSafetensors } from '../../io/safetensors-write.ts';
import { allclose } from '../../num/allclose.ts';
import { initBackend } from '../../num/backend.ts';
import { tf } from '../../num/tf.ts';
import { rejection } from '../../testing/failing.ts';
import { foldInputScale } from '../form.ts';
import { checkpointMethod } from '../method.ts';
import { readSaeLens } from './saelens.ts';
import { parseSaeLensConfig } from './saelens-config.ts';

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
  const extra = Object.keys(weights).filter((name) => !names.includes(name));
  const tensors = [...names, ...extra].map((name) => {
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
    const method = checkpointMethod(await readSaeLens(folder));
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
    [{ activation_fn_str: 'tanh-relu' }, [Math.tanh(2.5), Math.tanh(2), 0], [1 + Math.tanh(2.5), 2 * Math.tanh(2) - 1]],
    [
      { ...{ architecture: 'jumprelu', activation_fn: 'tanh-relu' } },
      [Math.tanh(2.5), Math.tanh(2), 0],
      [1 + Math.tanh(2.5), 2 * Math.tanh(2) - 1],
    ],
    [{ architecture: 'gated', apply_b_dec_to_input: true }, [4.25, 2, 0], [5.25, 3]],
  ];
  for (const [cfg, codes, reconstruction] of cases) {
    const got = await forward({ ...CFG, ...cfg });
    allclose(got.codes, codes, {}, JSON.stringify(cfg));
    allclose(got.reconstruction, reconstruction, {}, JSON.stringify(cfg));
  }
});

test('factors between codes and decoder (finetuning_scaling_factor)', async () => {
  const factors = (...data: number[]) => ({ scaling_factor: { shape: [data.length], data } });
  const read = (cfg: object, extra: Parameters<typeof withCheckpoint>[2]) =>
    withCheckpoint(
      { ...CFG, ...cfg },
      async (folder) => {
        const method = checkpointMethod(await readSaeLens(folder));
        tf.tidy(() => {
          const codes = method.encode!(tf.tensor2d([3, 1], [1, 2]));
          allclose(codes.values.dataSync(), [2.5, 2, 0]);
          allclose(method.decode!(codes).dataSync(), extra?.['scaling_factor']?.data[0] === 3 ? [8.5, -3] : [3.5, 3]);
        });
        method.dispose();
      },
      extra,
    );
  await read({ finetuning_scaling_factor: true }, factors(3, -0.5, 7));
  // Some versions wrote ones whatever the flag.
  await read({ finetuning_scaling_factor: false }, factors(1, 1, 1));
  await read({}, factors(1, 1, 1));
  const refused = async (cfg: object, extra?: Parameters<typeof withCheckpoint>[2]) =>
    (await rejection(read(cfg, extra))).message;
  assert.match(await refused({}, factors(3, 1, 1)), /tensor 'scaling_factor': expected ones.*found 3: set it to true/);
  assert.match(
    await refused({ finetuning_scaling_factor: true }),
    /expected a tensor 'scaling_factor', as finetuning_scaling_factor is true in cfg\.json; found none/,
  );
  assert.match(
    await refused({ finetuning_scaling_factor: 3 }),
    /finetuning_scaling_factor: expected true or false, found 3/,
  );
  assert.match(await refused({ finetuning_scaling_factor: true }, factors(3, 1)), /expected shape \[3\], found \[2\]/);
});

test('nothing that may change the numbers is passed over', async () => {
  const other = { other_bias: { shape: [3], data: [1, 1, 1] } };
  const refused = async (cfg: object, extra?: Parameters<typeof withCheckpoint>[2]) => {
    const { message } = await rejection(
      withCheckpoint({ ...CFG, ...cfg }, async (folder) => void (await readSaeLens(folder)), extra),
    );
    assert.not.match(message, /\n/);
    return message;
  };
  assert.match(
    await refused({}, other),
    /tensor 'other_bias': expected only W_enc, W_dec, b_dec, b_enc with the architecture standard/,
  );
  assert.match(await refused({}, { threshold: { shape: [3], data: [1, 1, 1] } }), /tensor 'threshold': expected only/);
  const cases: [object, RegExp][] = [
    [
      { activation_fn_str: 'gelu' },
      /activation_fn: expected relu or tanh-relu with the architecture standard, found "gelu"/,
    ],
    [{ activation_fn: 'tanh-relu', architecture: 'topk', k: 1 }, /activation_fn: expected topk or relu/],
    [
      { activation_fn: 'topk', architecture: 'jumprelu' },
      /activation_fn: expected relu or tanh-relu with the architecture jumprelu, found "topk"/,
    ],
    [
      { activation_fn: 'topk', activation_fn_kwargs: { k: 1, postact_fn: 'tanh' } },
      /activation_fn_kwargs: expected k or nothing, found "postact_fn"/,
    ],
    [
      { architecture: 'topk', k: 1, activation_fn_kwargs: { k: 2 } },
      /k: expected one number, found 1 and, in activation_fn_kwargs, 2/,
    ],
    [{ normalize_activations: 'covariance_whitening' }, /normalize_activations: expected none or/],
    [
      { architecture: 'jumprelu', rescale_acts_by_decoder_norm: true },
      /rescale_acts_by_decoder_norm: expected false with the architecture jumprelu/,
    ],
    [
      { architecture: 'topk', k: 1, rescale_acts_by_decoder_norm: true, finetuning_scaling_factor: true },
      /expected false with finetuning_scaling_factor/,
    ],
    [
      { architecture: 'matching_pursuit', finetuning_scaling_factor: true },
      /finetuning_scaling_factor: expected false with the architecture matching_pursuit, found true/,
    ],
    [{ architecture: 'matching_pursuit', max_iterations: 4 }, /max_iterations: expected at most 3, the larger of d_in/],
    [{ reshape_activations: 'heads' }, /reshape_activations: expected none or hook_z; found "heads"/],
    [{ hook_head_index: 0 }, /hook_head_index: expected null.*found 0/],
    [{ metadata: { hook_head_index: 2 } }, /hook_head_index: expected null.*found 2/],
    [
      { metadata: { hook_name_out: 'blocks.1.hook_mlp_out' } },
      /hook_name_out: expected null with an architecture that is no transcoder/,
    ],
    [{ d_out: 4 }, /d_out: expected 2, as d_in, with an architecture that is no transcoder; found 4/],
    [{ use_error_term: true }, /use_error_term: expected false/],
    [{ skip_connection: true }, /skip_connection: expected no such key.*found true/],
    [{ temperature: 0.7 }, /temperature: expected no such key.*found 0.7/],
    [{ metadata: 'x' }, /metadata: expected a JSON object, found "x"/],
  ];
  for (const [cfg, pattern] of cases) assert.match(await refused(cfg), pattern);
});

test('configurations as SAELens writes them are read', () => {
  const six = {
    ...{ d_in: 2, d_sae: 3, dtype: 'float32', device: 'cpu', apply_b_dec_to_input: true, architecture: 'topk', k: 2 },
    ...{ normalize_activations: 'none', reshape_activations: 'none', rescale_acts_by_decoder_norm: false },
    metadata: {
      ...{
        sae_lens_version: '6.54.12',
        model_name: 'gpt2',
        hook_name: 'blocks.2.hook_resid_pre',
        hook_head_index: null,
      },
      ...{ prepend_bos: true, context_size: 128, seqpos_slice: [null], dataset_path: 'x/y', anything_new: 3 },
    },
  };
  const five = {
    ...{ architecture: 'standard', d_in: 2, d_sae: 3, dtype: 'torch.float32', device: 'cuda', model_name: 'gpt2' },
    ...{ hook_name: 'blocks.2.hook_resid_pre', hook_layer: 2, hook_head_index: null, activation_fn_str: 'relu' },
    ...{ activation_fn_kwargs: {}, apply_b_dec_to_input: true, finetuning_scaling_factor: false, prepend_bos: true },
    ...{ sae_lens_training_version: '5.3.0', dataset_path: 'x/y', dataset_trust_remote_code: true, context_size: 128 },
    ...{ normalize_activations: 'none', neuronpedia_id: 'a', seqpos_slice: [null], model_from_pretrained_kwargs: {} },
  };
  const three = {
    ...{ ...five, l1_coefficient: 4, lr: 4e-4, train_batch_size_tokens: 4096, use_ghost_grads: true, noise_scale: 0 },
    ...{
      normalize_activations: null,
      b_dec_init_method: 'geometric_median',
      log_to_wandb: true,
      some_new_switch: false,
    },
  };
  for (const cfg of [six, five, three]) assert.is(parseSaeLensConfig('cfg.json', cfg).d_sae, 3);
});

test('an input scale that SAELens has not folded', async () => {
  const cfg = { ...CFG, normalize_activations: 'expected_average_only_in', apply_b_dec_to_input: true };
  const given = { ...CFG, apply_b_dec_to_input: true };
  await withCheckpoint(cfg, async (folder) => {
    const unfolded = await readSaeLens(folder);
    assert.is(unfolded.config.inputScale, 'estimate');
    assert.throws(() => checkpointMethod(unfolded), /not folded/);
    // Weights for 2x: x = [1.5, 0.5] gives the codes of [3, 1] and half of their reconstruction [3.5, 3].
    const methods = [checkpointMethod(foldInputScale(unfolded, 2))];
    await writeFile(join(folder, 'activation_scaler.json'), '{"scaling_factor": 2}');
    methods.push(checkpointMethod(await readSaeLens(folder)));
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
  const plain = { centred: true, rescaleByDecoderNorm: false, tanh: false, transcodes: false };
  assert.equal(form, { activation: 'topk', ...plain });
  const present = { ...CFG, metadata: { hook_name: 'blocks.1.hook_mlp_out' } };
  assert.is(parseSaeLensConfig('cfg.json', present).hook_name, 'blocks.1.hook_mlp_out');
});

test('bad checkpoints are refused with file, field, expected and found', async () => {
  const nan = { W_dec: { shape: [3, 2], data: [1, 0, 0, Number.NaN, -1, 0] } };
  const infinite = { b_dec: { shape: [2], data: [0, Infinity] } };
  const cases: [RegExp, object, Parameters<typeof withCheckpoint>[2]?][] = [
    [/cfg.json: architecture: expected standard, topk, .* found "fancy"/, { ...CFG, architecture: 'fancy' }],
    [/architecture: temporal is not served: .* positions before/, { ...CFG, architecture: 'temporal' }],
    [/cfg.json: d_in: expected a whole number of at least 1, found "2"/, { ...CFG, d_in: '2' }],
    [/cfg.json: d_sae: expected a whole number of at least 1, found nothing/, { ...CFG, d_sae: undefined }],
    [/cfg.json: k: expected at most d_sae = 3, found 4/, { ...CFG, architecture: 'topk', k: 4 }],
    [/cfg.json: k: expected a whole number of at least 1, found nothing/, { ...CFG, architecture: 'topk' }],
    [
      /normalize_activations: expected none or expected_average_only_in or layer_norm or .*, found "batch"/,
      { ...CFG, normalize_activations: 'batch' },
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
