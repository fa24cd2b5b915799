/** @file A child process for the kill test: trains one SAE and prints its progress and the hash of its weights. */
import batchtopk from '../../models/sae/batchtopk.ts';
import { sha256 } from '../io/hash.ts';
import { initBackend } from '../num/backend.ts';
import { trainSae } from '../train.ts';
import { sparseData } from './sparse-data.ts';

const [checkpointDir] = process.argv.slice(2);
await initBackend('wasm');
const trained = await trainSae(batchtopk, {
  activations: sparseData().set,
  d_sae: 32,
  hp: { k: 2 },
  // Latents die early here, so that AuxK and its bookkeeping are part of what must resume.
  training: { tokens: 19_200, batchSize: 64, lr: 0.02, deadAfterTokens: 640, checkpointEverySteps: 40 },
  seed: 3,
  ...(checkpointDir && { checkpointDir }),
  onProgress: ({ step }) => process.stdout.write(`step ${step}\n`),
});
const { tensors } = trained.state();
const bytes = Object.keys(tensors)
  .sort()
  .map((name) => Buffer.from(tensors[name]!.data.buffer));
process.stdout.write(
  `hash ${sha256(Buffer.concat(bytes))} ${sha256(JSON.stringify([trained.curve, trained.scalars]))}\n`,
);
