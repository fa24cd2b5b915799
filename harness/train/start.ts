/** @file Where a run begins: from its checkpoint, or with start values that the variant makes from a sample. */
import { readRows } from '../activations/read-rows.ts';
import type { ActivationSet, SaeDefinition, SaeShape, TrainingOptions } from '../contract.ts';
import { UserError } from '../errors.ts';
import { createRng } from '../num/rng.ts';
import { type NamedTensors, tf, type Variable } from '../num/tf.ts';
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts';
import { meanNormScale, sampleRows } from './input.ts';

/** What a run is made of. */
export interface RunSettings<H> {
  shape: SaeShape;
  hp: H;
  training: TrainingOptions;
  seed: number;
  /** Hash of everything that its numbers depend on: only the same run resumes. */
  identity: string;
  checkpointDir?: string;
}

/** Parameters and buffers, which the caller disposes of. */
export interface Run {
  params: Record<string, Variable>;
  buffers: NamedTensors;
  checkpoint: Checkpoint | undefined;
  /** Factor on inputs and targets. */
  scale: number;
}

/** Tensors as variables; the tensors are freed. */
function variables(tensors: NamedTensors): Record<string, Variable> {
  const made = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tf.variable(tensor)]));
  tf.dispose(tensors);
  return made;
}

/** @throws UserError for several rows that are all the same: starts and losses are in units of how they differ. */
function refuseConstant(x: Float32Array, d: number, what: string): void {
  if (x.length <= d || x.some((value, i) => value !== x[i % d])) return;
  throw new UserError(
    `${what}: expected rows that differ, found ${x.length / d} times the same one: nothing to learn.`,
  );
}

/** Start values by the variant from a sample of the data. */
async function fresh<H>(
  definition: SaeDefinition<H>,
  { shape, hp, training, seed }: RunSettings<H>,
  activations: ActivationSet,
  target: ActivationSet,
): Promise<Run> {
  const sample = await sampleRows(activations, seed);
  const scale = training.normalise === 'none' ? 1 : meanNormScale(sample, shape.d_in);
  const own = target === activations;
  refuseConstant(sample.x, activations.d_in, 'activations');
  const targetX = own ? sample.x : await readRows(target, sample.rows, new Float32Array(sample.n * target.d_in));
  if (!own) refuseConstant(targetX, target.d_in, 'target');
  const made = tf.tidy(() => {
    const scaled = (x: Float32Array, d: number) => tf.mul(tf.tensor2d(x, [sample.n, d]), scale);
    const first = scaled(sample.x, shape.d_in);
    const env = {
      rng: createRng(seed).fork('sae init'),
      sample: first,
      targetSample: own ? first : scaled(targetX, shape.d_out),
    } as Parameters<SaeDefinition<H>['init']>[2];
    const { params, buffers = {} } = definition.init(shape, hp, env);
    return { params, buffers } as { params: NamedTensors; buffers: NamedTensors };
  });
  return { params: variables(made.params), buffers: made.buffers, checkpoint: undefined, scale };
}

/**
 * The run as its checkpoint left it, or a new one.
 *
 * @throws UserError for a damaged checkpoint, one of another run, and activations that cannot be trained on.
 */
export async function startRun<H>(
  definition: SaeDefinition<H>,
  settings: RunSettings<H>,
  activations: ActivationSet,
  target: ActivationSet,
): Promise<Run> {
  const { checkpointDir, identity } = settings;
  const checkpoint = checkpointDir === undefined ? undefined : await loadCheckpoint(checkpointDir, identity);
  if (!checkpoint) return fresh(definition, settings, activations, target);
  const { groups, progress } = checkpoint;
  return { params: variables(groups['params']!), buffers: groups['buffers']!, checkpoint, scale: progress.scale };
}
