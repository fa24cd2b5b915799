/** @file Every family of language models from fresh weights: sites, the rest of a pass, gradients, training, saved and loaded. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Intervention, LanguageModel, NamedTensors, Scalar, Tensor1D, Tensor3D } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { createRng, isResidualStream } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { type CausalLm, causalLmFiles, causalLmForward, causalLmSites, causalLmTokenLosses } from './causal-lm.ts';
import { configReader } from './config.ts';
import { initCausalLm } from './init.ts';
import { batchOf } from './load.ts';
import { saveSubject } from './save.ts';
import { readTiny, TINY_MODELS } from './testing/families.ts';
import { assertClose, testFolder } from './testing/golden.ts';

const test = suite('models/subjects/families-training');
test.before(async () => {
  await initBackend('native').catch(() => initBackend('wasm'));
});

/** Rows longer than the windows, of a rule that can be learnt: each id is the last one plus 3. */
const BATCH = batchOf(
  [9, 6, 2].map((length, row) => Array.from({ length }, (_, i) => 3 + ((5 * row + 3 * i) % 40))),
  0,
);

/** A tiny model with weights of a seed. */
async function fresh(name: string): Promise<{ lm: CausalLm; params: NamedTensors }> {
  const lm = TINY_MODELS[name]!.read(configReader(await readTiny(name, 'config.json'), name));
  return { lm, params: initCausalLm(lm, createRng(name)) };
}

for (const name of Object.keys(TINY_MODELS)) {
  test(`${name}: sites are read, replaced and gone on from`, async () => {
    const { lm, params } = await fresh(name);
    const sites = causalLmSites(lm).map((site) => site.name);
    tf.tidy(() => {
      const { captured, logits } = causalLmForward(params, lm, BATCH, { capture: sites });
      const clean = logits!.dataSync();
      const at = (site: string) => captured[site]!;
      const same = sites.map((site): Intervention => ({ site, apply: (x) => x }));
      assert.equal(causalLmForward(params, lm, BATCH, { interventions: same }).logits!.dataSync(), clean);
      for (const site of sites) {
        const nothing: Intervention = { site, apply: (x) => tf.zerosLike(x) };
        const changed = causalLmForward(params, lm, BATCH, { interventions: [nothing] }).logits!.dataSync();
        assert.not.equal(changed, clean, site);
      }
      for (const site of sites.filter(isResidualStream)) {
        const rest = causalLmForward(params, lm, BATCH, { from: { site, x: at(site) } }).logits!;
        assertClose(site, rest, clean, { tolerance: 1e-6 });
      }
      const added = tf.addN(['resid_pre', 'attn_out', 'mlp_out'].map((hook) => at(`blocks.1.hook_${hook}`)));
      assertClose('post', added, at('blocks.1.hook_resid_post').dataSync(), { tolerance: 1e-5 });
    });
    tf.dispose(params);
  });

  test(`${name}: gradients through an intervention are finite differences`, async () => {
    const { lm, params } = await fresh(name);
    const loss = (v: Tensor1D) => {
      const steered: Intervention = { site: 'blocks.0.hook_resid_post', apply: (x) => tf.add(x, v) as Tensor3D };
      return tf.mean(tf.square(causalLmForward(params, lm, BATCH, { interventions: [steered] }).logits!));
    };
    tf.tidy(() => {
      const direction = tf.linspace(-0.5, 0.5, lm.stack.d);
      const gradient = tf.grad((v) => loss(v as Tensor1D))(direction);
      const along = tf.linspace(1, -0.3, lm.stack.d);
      const [up, down] = [1e-2, -1e-2].map((step) => loss(tf.add(direction, tf.mul(along, step))).dataSync()[0]!);
      const [found, expected] = [tf.sum(tf.mul(gradient, along)).dataSync()[0]!, (up! - down!) / 2e-2];
      assert.ok(
        Math.abs(found - expected) < 2e-2 * Math.max(0.1, Math.abs(expected)),
        `${found}, expected ${expected}`,
      );
    });
    tf.dispose(params);
  });

  test(`${name}: every parameter is trained, and a saved model is the same again`, async () => {
    const { lm, params } = await fresh(name);
    const folder = await mkdtemp(join(tmpdir(), 'saxbench-families-'));
    const variables = Object.fromEntries(Object.entries(params).map(([key, x]) => [key, tf.variable(x)]));
    tf.dispose(params);
    const losses = Array.from({ length: 6 }, () =>
      tf.tidy(() => {
        const loss = (): Scalar => tf.mean(causalLmTokenLosses(variables, lm, BATCH).losses);
        const { value, grads } = tf.variableGrads(loss, Object.values(variables));
        for (const [key, variable] of Object.entries(variables)) {
          const gradient = grads[variable.name]!;
          assert.ok(
            gradient.dataSync().some((g) => g !== 0),
            `${key} has no gradient`,
          );
          variable.assign(tf.sub(variable, tf.mul(tf.sign(gradient), 3e-3)));
        }
        return value.dataSync()[0]!;
      }),
    );
    assert.ok(losses.at(-1)! < losses[0]! - 0.05, `${losses}`);
    const config = await readTiny(name, 'config.json');
    await saveSubject(folder, variables, { config }, 'F32', causalLmFiles(lm));
    const source = await openSafetensors(join(folder, 'model.safetensors'));
    const tensors = await readTiny(name, 'tensors.json');
    for (const tensor of source.names) assert.equal(source.info(tensor).shape, tensors[tensor], tensor);
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      await copyFile(join(testFolder('llama-bf16'), file), join(folder, file));
    }
    const model = (await TINY_MODELS[name]!.plugin.load(folder, { id: name })) as LanguageModel;
    const [again, now] = [model.forward(BATCH).logits!, causalLmForward(variables, lm, BATCH).logits!];
    assertClose('logits', again, now.dataSync(), { mask: BATCH.mask, tolerance: 1e-5 });
    tf.dispose([again, now, variables]);
    model.dispose();
    await rm(folder, { recursive: true });
  });
}

test.run();
