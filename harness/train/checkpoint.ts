/** @file The trainer's checkpoint: one safetensors file, replaced atomically, that a resume continues bit for bit. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainState } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { ElementArray } from '../io/elements.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../io/safetensors-write.ts';
import { type NamedTensors, tf } from '../num/tf.ts';
import type { CurveState } from './curve.ts';
import type { HeldOutPoint } from './held-out.ts';

/** The JSON part of a checkpoint. */
export interface CheckpointProgress {
  /** Steps done. */
  step: number;
  tokens: number;
  /** Factor on the inputs, measured once at the start. */
  scale: number;
  scalars: Record<string, number>;
  curve: CurveState;
  /** Looks at held-out rows so far. */
  heldOut: HeldOutPoint[];
  /** What the step before the next one measured. */
  last?: TrainState['last'];
}

export interface Checkpoint {
  progress: CheckpointProgress;
  /** Groups of tensors: `params`, `buffers`, `adam`. */
  groups: Record<string, NamedTensors>;
  sinceFired: Int32Array;
}

const FILE = 'checkpoint.safetensors';
const FORMAT = 'saxbench-checkpoint-2';
const SINCE = 'trainer:since_fired';

const stored = (data: ElementArray, shape: number[]): TensorToWrite => ({
  dtype: data instanceof Int32Array ? 'I32' : 'F32',
  shape,
  data,
});

/**
 * Writes the checkpoint in `folder`; a kill while writing leaves the one before.
 *
 * @param identity What the run is made of (variant, options, seed, data), as one string: only the same run resumes.
 */
export async function saveCheckpoint(folder: string, identity: string, checkpoint: Checkpoint): Promise<void> {
  const tensors: Record<string, TensorToWrite> = {
    [SINCE]: stored(checkpoint.sinceFired, [checkpoint.sinceFired.length]),
  };
  for (const [group, named] of Object.entries(checkpoint.groups)) {
    for (const [name, tensor] of Object.entries(named)) {
      tensors[`${group}:${name}`] = stored(tensor.dataSync() as ElementArray, tensor.shape);
    }
  }
  const metadata = { format: FORMAT, identity, progress: JSON.stringify(checkpoint.progress) };
  await writeSafetensors(join(folder, FILE), tensors, metadata);
}

/**
 * Reads the checkpoint in `folder`, or undefined where there is none. The caller disposes of the tensors.
 *
 * @throws UserError when the file is damaged or belongs to another run.
 */
export async function loadCheckpoint(folder: string, identity: string): Promise<Checkpoint | undefined> {
  const path = join(folder, FILE);
  if (!existsSync(path)) return undefined;
  const source = await openSafetensors(path);
  const { format, identity: found, progress } = source.metadata;
  if (format !== FORMAT || progress === undefined) {
    throw new UserError(
      `checkpoint ${path}: expected format ${FORMAT}, found ${format ?? 'none'}; delete it to start anew.`,
    );
  }
  if (found !== identity) {
    throw new UserError(
      `checkpoint ${path}: belongs to another run (variant, options, seed or data differ); ` +
        'choose another folder or delete it to start anew.',
    );
  }
  const groups: Record<string, NamedTensors> = { params: {}, buffers: {}, adam: {} };
  for (const name of source.names.filter((name) => name !== SINCE)) {
    const cut = name.indexOf(':');
    const { dtype, shape } = source.info(name);
    const data = await source.read(name, { finite: true });
    groups[name.slice(0, cut)]![name.slice(cut + 1)] = tf.tensor(data, shape, dtype === 'I32' ? 'int32' : 'float32');
  }
  const sinceFired = (await source.read(SINCE)) as Int32Array;
  return { progress: JSON.parse(progress) as CheckpointProgress, groups, sinceFired };
}
