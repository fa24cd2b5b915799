/** @file The runs whose numbers a change of structure must leave as they are. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpy } from '../../io/npy.ts';
import { createRng } from '../../num/rng.ts';
import { EMBEDDED_LM, EMBEDDED_SITE } from '../../paths.ts';

/** What the runs read, made once for both states of the code. */
export interface Inputs {
  activations: string;
  /** Written by the older code. */
  checkpoint: string;
}

/** Arguments of a run after `run`; the limit and the places are added to all alike. */
export interface NumbersRun {
  name: string;
  args(inputs: Inputs): string[];
  /** A folder without which the run is left out. */
  needs?: string;
}

const STORIES = '../shared/data/stories260k-hf';
const SITE = 'blocks.2.hook_resid_post';

export const RUNS: readonly NumbersRun[] = [
  { name: 'default', args: () => ['default'] },
  { name: 'stories260k', args: () => ['--subject', STORIES, '--site', SITE, '--limit', '100'], needs: STORIES },
  { name: 'activations', args: ({ activations }) => ['--activations', activations, '--modality', 'image'] },
  {
    name: 'checkpoint',
    args: ({ checkpoint }) => [
      'default',
      '--checkpoint',
      checkpoint,
      '--only',
      `subjects=${EMBEDDED_LM}`,
      '--only',
      'methods=neurons,random,trained',
    ],
  },
];

/** `saxbench train` with these arguments makes the checkpoint. */
export const TRAINING = [
  '--sae',
  'topk',
  '--subject',
  EMBEDDED_LM,
  '--site',
  EMBEDDED_SITE,
  '--dataset',
  'text-world',
  '--items',
  '400',
];

const CLASSES = 4;
const ROWS = 2400;
const WIDTH = 32;

/** Rows around the directions of four classes, with labels, and one group for every three rows. */
export async function writeActivations(folder: string): Promise<void> {
  const rng = createRng(0).fork('same-numbers');
  const centres = rng.fillNormal(new Float32Array(CLASSES * WIDTH));
  const x = rng.fillNormal(new Float32Array(ROWS * WIDTH));
  const labels = Array.from({ length: ROWS }, (_, row) => Math.floor(row / 3) % CLASSES);
  for (let i = 0; i < x.length; i++) x[i]! += centres[labels[Math.floor(i / WIDTH)]! * WIDTH + (i % WIDTH)]!;
  await mkdir(folder, { recursive: true });
  await writeNpy(join(folder, 'activations.npy'), [ROWS, WIDTH], x);
  await writeFile(join(folder, 'labels.txt'), labels.map((label) => `class ${label}\n`).join(''));
  await writeFile(join(folder, 'groups.txt'), labels.map((_, row) => `group ${Math.floor(row / 3)}\n`).join(''));
}

/** Why a run is left out, if it is. */
export function missing({ needs }: NumbersRun): string | undefined {
  return needs && !existsSync(needs) ? `${needs} is not there` : undefined;
}
