/** @file The rows of the speed table: what is measured, at which sizes, against whom, and the ratio to reach. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../paths.ts';

/** A script with its arguments; a peer also needs Python modules. */
export interface Contender {
  name: string;
  /** File in ours/ or peers/. */
  script: string;
  args: (string | number)[];
  /** Python modules without which it is skipped. */
  needs: string[];
}

/** Ours over a peer: `fastest` is the peer with the best median. */
export interface Target {
  over: 'fastest' | string;
  atLeast: number;
}

export interface Row {
  id: string;
  title: string;
  ours: Contender;
  peers: Contender[];
  targets: Target[];
  /** What is compared. Throughput: more is better; `seconds` and `peak`: less. The ratio is above 1 when ours is better. */
  measure: 'throughput' | 'seconds' | 'peak';
}

const own = (script: string, ...args: (string | number)[]): Contender => ({
  name: 'saxbench',
  script,
  args,
  needs: [],
});
const modes = ['float32', 'bf16', 'compile', 'bf16-compile'];

/** Those whose number of active latents is not an option. */
const THRESHOLDED = ['relu', 'jumprelu', 'gated'];

/**
 * One SAE training row: ours against PyTorch in every mode. `d`, `f`, `k`, `batch` and steps timed; for ReLU, JumpReLU and
 * gated `k` is how many latents are active on average, 0 for as many as at the start.
 */
function training(variant: string, size: [number, number, number, number, number], targets: Target[]): Row {
  const [d, f, k, batch, steps] = size;
  return {
    id: `train-${variant}-${d}-${f}${THRESHOLDED.includes(variant) && k > 0 ? `-l0-${k}` : ''}`,
    title: `${variant} SAE training step, d=${d}, F=${f}${k > 0 ? `, k=${k}` : ''}, batch ${batch}`,
    ours: own('sae-train.ts', variant, d, f, k, batch, steps),
    peers: modes.map((mode) => ({
      name: `torch ${mode}`,
      script: 'sae_train.py',
      args: [variant, d, f, k, batch, mode, steps],
      needs: ['torch'],
    })),
    targets,
    measure: 'throughput',
  };
}

/** The same with ours in precision bf16, against the peer's modes in bfloat16 alone. */
function inBf16(row: Row, atLeast: number): Row {
  return {
    ...row,
    id: `${row.id}-bf16`,
    title: `${row.title}, both in bfloat16`,
    ours: { ...row.ours, args: [...row.ours.args, 'bf16'] },
    peers: row.peers.filter(({ name }) => /bf16|bfloat16/.test(name)),
    targets: [{ over: 'fastest', atLeast }],
  };
}

/** One of our SAEs beside another of them at the same size: tokens/s of a training step or of encoding. */
function besideOurs(what: 'train' | 'encode', [variant, other]: [string, string], atLeast: number): Row {
  const args = [768, 12288, 32, 2048, 20, ...(what === 'encode' ? ['encode'] : [])];
  const label = what === 'train' ? 'training step' : 'encoding';
  return {
    id: `${what}-${variant}-over-${other}`,
    title: `${variant} SAE over our own ${other}, ${label}, d=768, F=12288, k=32, batch 2048`,
    ours: own('sae-train.ts', variant, ...args),
    peers: [{ ...own('sae-train.ts', other, ...args), name: `saxbench ${other}` }],
    targets: [{ over: 'fastest', atLeast }],
    measure: 'throughput',
  };
}

/** The gain of conditional computation, and of smaller encoders: 1/2 + 1/4 of TopK's size, and half of that, 1/4 + 1/8. */
const OURS = [
  besideOurs('train', ['switch-8', 'topk'], 1.5),
  besideOurs('encode', ['switch-8', 'topk'], 3),
  besideOurs('train', ['switch-32', 'topk'], 4),
  besideOurs('encode', ['switch-32', 'topk'], 8),
  besideOurs('encode', ['kron-4-8', 'kron-2-4'], 1.7),
  besideOurs('encode', ['kron-2-4', 'topk'], 1),
  besideOurs('encode', ['kron-4-8', 'topk'], 1.4),
];

/** A whole run of real size beside the bare training steps of one of its SAEs, and its peak memory beside theirs. */
function wholeRun(quick: boolean): Row[] {
  const [n, d, f, k, batch, tokens] = quick ? [4000, 64, 256, 8, 128, 4096] : [200_000, 768, 12288, 32, 2048, 400_000];
  const size = `${n} × ${d} imported rows, F=${f}`;
  const row: Row = {
    id: 'whole-run-over-steps',
    title: `a whole run (topk and batchtopk, ${tokens} tokens each, neurons, probe; three tasks) over TopK's steps alone, ${size}`,
    ours: own('whole-run.ts', n, d, f, k, batch, tokens),
    peers: [{ ...own('sae-train.ts', 'topk', d, f, k, batch, 20), name: 'saxbench topk steps' }],
    targets: [{ over: 'fastest', atLeast: 0.9 }],
    measure: 'throughput',
  };
  const peak: Row = {
    ...row,
    id: 'whole-run-peak-memory',
    title: `peak memory of the process: ${row.title}`,
    measure: 'peak',
  };
  return [row, { ...peak, targets: [{ over: 'fastest', atLeast: 0.5 }] }];
}

/** The peak memory of the runs of a training row. */
const peakOf = (row: Row, targets: Target[]): Row => ({
  ...row,
  id: row.id.replace('train-', 'train-peak-memory-'),
  title: `peak memory of the process: ${row.title}`,
  targets,
  measure: 'peak',
});

function matmul(m: number, k: number, n: number): Row {
  return {
    id: `matmul-${m}-${k}-${n}`,
    title: `float32 product [${m}, ${k}] · [${k}, ${n}]`,
    ours: own('matmul.ts', m, k, n),
    peers: [{ name: 'torch', script: 'matmul.py', args: [m, k, n], needs: ['torch'] }],
    targets: [{ over: 'fastest', atLeast: 0.95 }],
    measure: 'throughput',
  };
}

function languageModel(what: 'forward' | 'generate', folder: string, layer: number, n: number, length: number): Row[] {
  const full = path.join(packageRoot, folder);
  if (!existsSync(full)) {
    console.error(`perf: ${folder} is not there: its rows are skipped.`);
    return [];
  }
  const args = [what, full, layer, n, length];
  return [
    {
      id: `${what}-${path.basename(folder)}`,
      title:
        what === 'forward'
          ? `forward with capture, ${path.basename(folder)}, ${n} × ${length} tokens`
          : `generation with cache, ${path.basename(folder)}, ${n} sequences × ${length} new tokens`,
      ours: own('lm.ts', ...args),
      peers: [{ name: 'transformers', script: 'lm.py', args, needs: ['torch', 'transformers'] }],
      targets: [{ over: 'fastest', atLeast: what === 'forward' ? 1 : 2 }],
      measure: 'throughput',
    },
  ];
}

/** The folder of a larger model of the Llama family, in float32 or 16 bits. */
const SUBJECT_VARIABLE = 'SAXBENCH_PERF_SUBJECT';

/** What a real model does for us, beside transformers in float32 and bfloat16; none where no folder is named. */
function realModel(quick: boolean): Row[] {
  const folder = process.env[SUBJECT_VARIABLE];
  if (!folder) {
    console.error(`perf: ${SUBJECT_VARIABLE} names no folder: the rows of a real model are skipped.`);
    return [];
  }
  const layer = quick ? 1 : 10;
  const name = path.basename(folder);
  const row = (what: string, title: string, [n, length]: [number, number], atLeast: number): Row => {
    const args = [what, path.resolve(folder), layer, n, length];
    return {
      id: `${what}-${name}-${n}-${length}`,
      title: `${title}, ${name}, ${n} × ${length} tokens`,
      ours: own('lm.ts', ...args),
      peers: ['float32', 'bfloat16'].map((type) => ({
        name: `transformers ${type}`,
        script: 'lm.py',
        args: [...args, type],
        needs: ['torch', 'transformers'],
      })),
      targets: [
        { over: 'transformers float32', atLeast },
        { over: 'transformers bfloat16', atLeast: 1 },
      ],
      measure: what === 'load' ? 'seconds' : 'throughput',
    };
  };
  const batch: [number, number] = quick ? [2, 8] : [8, 128];
  const collecting = (what: string) => own('lm.ts', what, path.resolve(folder), layer, ...batch);
  const write: Row = {
    id: `write-over-collect-${name}`,
    title: `collecting texts into a folder, over capture at block ${layer} alone, ${name}, ${batch.join(' × ')} tokens a batch`,
    ours: collecting('write'),
    peers: [{ ...collecting('collect'), name: 'saxbench forward' }],
    targets: [{ over: 'fastest', atLeast: 0.9 }],
    measure: 'throughput',
  };
  const load = row('load', 'load and first pass', [1, 8], 1);
  const passes = [
    row('forward', `forward with capture at block ${layer} and all logits`, batch, 1.05),
    row('collect', `capture at block ${layer} alone`, batch, 1.05),
    row('steer', 'generation with steering', quick ? [2, 4] : [16, 32], 1.5),
    row('steer', 'generation with steering', quick ? [4, 4] : [64, 32], 1.5),
  ];
  return [
    ...passes,
    ...passes.map((pass) => inBf16(pass, 1)),
    write,
    load,
    { ...load, id: `${load.id}-peak-memory`, title: `peak memory of the process: ${load.title}`, measure: 'peak' },
  ];
}

/** All rows; with `quick` at sizes that only show that everything runs. */
export function rows(quick: boolean): Row[] {
  const float32 = (atLeast: number): Target => ({ over: 'torch float32', atLeast });
  const fastest = (atLeast: number): Target => ({ over: 'fastest', atLeast });
  const topk = quick
    ? training('topk', [64, 512, 8, 128, 2], [float32(8), fastest(2)])
    : training('topk', [768, 12288, 32, 2048, 3], [float32(8), fastest(2)]);
  const larger: Row[] = quick
    ? []
    : [
        training('topk', [128, 1024, 32, 2048, 20], [float32(4), fastest(1)]),
        training('topk', [2304, 16384, 32, 2048, 2], [float32(8), fastest(1)]),
      ];
  const withL0 = (l0: number): [number, number, number, number, number] =>
    quick ? [64, 512, l0 > 0 ? 4 : 0, 128, 2] : [768, 12288, l0, 2048, 2];
  const [n, f, d, concepts] = quick ? [2000, 256, 64, 10] : [50_000, 8192, 512, 500];
  const [items, latents] = quick ? [200, 512] : [2000, 16_384];
  const products: [number, number, number][] = quick
    ? [[64, 64, 512]]
    : [
        [2048, 768, 12288],
        [2048, 128, 1024],
        [4096, 128, 512],
        [4096, 128, 128],
      ];
  const batch = quick ? 4 : 64;
  const variants = ['switch-8', 'switch-32', 'kron-2-4', 'kron-4-8', 'matryoshka'].map((variant) =>
    training(variant, quick ? [64, 512, 8, 128, 2] : [768, 12288, 32, 2048, 12], [fastest(1.2)]),
  );
  return [
    ...products.map((size) => matmul(...size)),
    topk,
    ...larger,
    ...variants,
    ...(quick ? [] : OURS),
    ...THRESHOLDED.flatMap((variant) => [0, 64].map((l0) => training(variant, withL0(l0), [fastest(1.2)]))),
    ...THRESHOLDED.map((variant) => inBf16(training(variant, withL0(0), []), 1.2)),
    { ...peakOf(topk, [float32(2)]), id: 'train-peak-memory' },
    ...[...variants, training('gated', withL0(64), [])].map((row) => peakOf(row, [float32(2)])),
    ...languageModel('forward', 'models/pretrained/tiny-lm-planted', 2, batch, quick ? 8 : 128),
    ...languageModel('forward', '../shared/data/stories260k-hf', 2, batch, quick ? 8 : 256),
    ...languageModel('generate', 'models/pretrained/tiny-lm-planted', 2, batch, quick ? 4 : 100),
    ...languageModel('generate', '../shared/data/stories260k-hf', 2, batch, quick ? 4 : 128),
    ...realModel(quick),
    ...wholeRun(quick),
    {
      id: 'ms-score',
      title: `MS score, N=${n}, F=${f}, L0=32, embedding ${d}`,
      ours: own('ms-score.ts', n, f, 32, d),
      peers: [
        {
          name: 'torch O(N²)',
          script: 'ms_score.py',
          args: [n, f, 32, d, quick ? 64 : 1024, quick ? 2 : 12],
          needs: ['torch'],
        },
      ],
      targets: [fastest(100)],
      measure: 'seconds',
    },
    {
      id: 'auroc',
      title: `AUROC of ${latents} latents for ${concepts} concepts, ${items} items, L0=32`,
      ours: own('auroc.ts', items, latents, 32, concepts),
      peers: [
        {
          name: 'scikit-learn loop',
          script: 'auroc.py',
          args: [items, latents, 32, concepts, quick ? 50 : 1000],
          needs: ['sklearn'],
        },
      ],
      targets: [fastest(50)],
      measure: 'seconds',
    },
  ];
}
