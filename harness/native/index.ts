/** @file Registers the TensorFlow.js backend `native`: our C++ kernels, and tfjs's CPU kernels for everything else. */
import type * as Tf from '@tensorflow/tfjs-core';
import { addonDigest, startAddon } from './addon.ts';
import { NativeBackend } from './backend.ts';
import { registerActivation } from './kernels/activation.ts';
import { registerAdam } from './kernels/adam.ts';
import { registerAttention } from './kernels/attention.ts';
import { registerBatchErrors } from './kernels/batch-errors.ts';
import { registerBlock } from './kernels/block.ts';
import { registerDenseEncode } from './kernels/dense-encode.ts';
import { registerElementwise } from './kernels/elementwise.ts';
import { registerFused } from './kernels/fused.ts';
import { registerIndexed } from './kernels/indexed.ts';
import { registerLayout } from './kernels/layout.ts';
import { registerLinear } from './kernels/linear.ts';
import { registerMatMul } from './kernels/matmul.ts';
import { registerReduce } from './kernels/reduce.ts';
import { registerSparse } from './kernels/sparse.ts';
import { statisticsKernels } from './kernels/statistics.ts';
import { registerThreshold } from './kernels/threshold.ts';
import { OnKeys } from './on-keys.ts';
import { guarded } from './registry.ts';
import { takeShortWays } from './short-ways.ts';

/**
 * Loads the addon and registers backend `native` (priority 4) with its kernels; the caller selects it with
 * `tf.setBackend('native')`. Calling again registers nothing twice.
 * @param roundsFactors whether products are to be those of precision bf16 now; asked at each.
 * @returns the instruction set chosen for this CPU, what it screens in bfloat16 by, the number of threads, the kernels on plain arrays, and a digest of
 * the compiled kernels.
 * @throws when the addon is not built or cannot run here, saying why.
 */
export async function register(tf: typeof Tf, roundsFactors: () => boolean) {
  const addon = startAddon();
  const { isa, bfloat, threads } = addon;
  const started = { isa, bfloat, threads, statistics: statisticsKernels(addon), digest: addonDigest() };
  if (tf.findBackendFactory('native')) return started;
  const context = { tf, addon, roundsFactors };
  registerElementwise(context);
  registerMatMul(context);
  registerReduce(context);
  registerLayout(context);
  registerIndexed(context);
  registerFused(context);
  registerAdam(context);
  registerSparse(context);
  registerBatchErrors(context);
  registerThreshold(context);
  registerDenseEncode(context);
  registerAttention(context);
  registerActivation(context);
  registerBlock(context);
  registerLinear(context);
  for (const config of tf.getKernelsForBackend('cpu')) {
    if (tf.getKernel(config.kernelName, 'native')) continue;
    tf.registerKernel({ ...config, backendName: 'native', kernelFunc: guarded(config.kernelFunc) });
  }
  tf.registerBackend('native', () => new NativeBackend(addon), 4);
  keepInfoOnTensors(tf);
  takeShortWays(tf, 'native');
  return started;
}

/** What the engine keeps of tensors, in a map that is quicker; not where there are tensors that it would not know of. */
function keepInfoOnTensors(tf: typeof Tf): void {
  const { state } = tf.engine();
  if (state.numDataBuffers === 0) state.tensorInfo = new OnKeys();
}

export { WrongVariable } from './addon.ts';

/** Counts threads that call kernels all the time: with one on every core, kernels do not spread over others' cores. */
export const addCallers = (delta: number): void => startAddon().callers(delta);
