/**
 * @file The rows of the speed table on a GPU: ours on backend webgpu in float32, beside PyTorch on CUDA in float32 (no TF32) and in
 * bfloat16. PyTorch's compiled step takes most of a minute to compile, and so is asked at one size alone.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../paths.ts';
import type { Contender, Row } from '../rows.ts';

/** [d, F, steps]; rows of a batch are 2,048. */
const SIZES = [
  [768, 12_288, 20],
  [2304, 16_384, 10],
  [768, 49_152, 10],
] as const;
const QUICK = [[64, 256, 2]] as const;
const COMPILED = 12_288;

/** Latents that a row keeps, or that are active on average. */
const K = 32;

const own = (script: string, args: (string | number)[]): Contender => ({
  ...{ name: 'saxbench webgpu', script, needs: [] },
  args: [...args, 'webgpu'],
});

function training(
  variant: string,
  [d, f, steps]: readonly [number, number, number],
  batch: number,
  device: string,
): Row {
  const args = [variant, d, f, K, batch];
  const modes = ['float32', 'bf16', ...(f === COMPILED ? ['bf16-compile'] : [])];
  return {
    id: `gpu-train-${variant}-${d}-${f}`,
    title: `${variant} SAE training step, d=${d}, F=${f}, ${K} latents active, batch ${batch}`,
    ours: own('sae-train.ts', [...args, steps]),
    peers: modes.map((mode) => ({
      ...{ name: `torch ${device} ${mode}`, script: 'sae_train.py', needs: ['torch'] },
      args: [...args, mode, steps, device],
    })),
    targets: [{ over: `torch ${device} float32`, atLeast: 1 }],
    measure: 'throughput',
  };
}

function forward(folder: string, layer: number, [n, length]: [number, number], device: string): Row {
  const args = ['forward', folder, layer, n, length];
  return {
    id: `gpu-forward-${path.basename(folder)}`,
    title: `forward with capture, ${path.basename(folder)}, ${n} × ${length} tokens`,
    ours: own('lm.ts', args),
    peers: ['float32', 'bfloat16'].map((type) => ({
      ...{ name: `transformers ${device} ${type}`, script: 'lm.py', needs: ['torch', 'transformers'] },
      args: [...args, type, device],
    })),
    targets: [{ over: `transformers ${device} float32`, atLeast: 1 }],
    measure: 'throughput',
  };
}

/**
 * @param device Of PyTorch: `cuda`, or `cpu` in a dry run.
 * @param larger A folder of `gpt2_sized.py`, where there is one.
 */
export function gpuRows({ quick, device, larger }: { quick: boolean; device: string; larger: string }): Row[] {
  const variants = ['topk', 'relu', 'jumprelu'];
  const sizes = quick ? QUICK : SIZES;
  return [
    ...sizes.flatMap((size) => variants.map((variant) => training(variant, size, quick ? 128 : 2048, device))),
    forward(path.join(packageRoot, 'models/pretrained/tiny-lm-planted'), 2, quick ? [2, 8] : [64, 128], device),
    ...(existsSync(larger) ? [forward(larger, 6, quick ? [1, 8] : [8, 128], device)] : []),
  ];
}
