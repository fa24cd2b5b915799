/** @file What holds of the inference of every SAE: a folded input scale, and files in our own layout. */
import * as assert from 'uvu/assert';
import type { SaeDefinition } from '../contract.ts';
import { reconstruct } from '../kit/reconstruct.ts';
import { allclose, type Tolerance } from '../num/allclose.ts';
import { type NamedTensors, type Tensor2D, tf } from '../num/tf.ts';
import { restoreSae } from '../train/fitted-sae.ts';
import { readOwnState, writeOwnSae } from '../train/own-layout.ts';
import type { TrainedSae } from '../train/trained-sae.ts';
import { inFolder } from './failing.ts';

/** Params fitted on 2.5 · x, folded, reconstruct x as they did before, in its own units. */
export function assertFolds<H>(
  definition: SaeDefinition<H>,
  params: NamedTensors,
  hp: H,
  x: Tensor2D,
  tolerance: Tolerance = { rtol: 1e-5, atol: 1e-5 },
): void {
  tf.tidy(() => {
    const through = (named: NamedTensors, rows: Tensor2D) =>
      definition.decode(named, definition.encode(named, rows, hp), hp);
    const expected = tf.div(through(params, tf.mul(x, 2.5)), 2.5);
    const folded = definition.foldScale!(params, 2.5, hp);
    allclose(through(folded, x).dataSync(), expected.dataSync(), tolerance);
  });
}

/** Written in our own layout and read again, it reconstructs the rows to the bit. */
export async function assertComesBack<H>(
  definition: SaeDefinition<H>,
  trained: TrainedSae,
  x: Tensor2D,
): Promise<void> {
  const { shape, hp } = trained;
  const own = { variant: definition.id, version: definition.version, shape, hp };
  await inFolder(async (folder) => {
    await writeOwnSae(folder, { ...own, hook_name: 'blocks.0.hook_resid_post', model_name: 'toy' }, trained.state());
    const copy = restoreSae(definition, await readOwnState(folder));
    const outputs = [trained.method, copy].map((method) => tf.tidy(() => [...reconstruct(method, x).dataSync()]));
    assert.equal(outputs[0], outputs[1]);
    copy.dispose();
  });
}
