/** @file One training step: loss and gradients, the variant's hooks, the optimiser. Frees all that it makes. */
import type { SaeBatch, SaeDefinition, SaeLoss, TrainState } from '../contract.ts';
import { UserError } from '../errors.ts';
import { refuseNonFinite } from '../io/non-finite.ts';
import { batchErrors } from '../num/ops/squared-error.ts';
import type { Adam } from '../num/optimiser.ts';
import { inTraining } from '../num/precision.ts';
import { readTogether } from '../num/read-together.ts';
import { type NamedTensors, type Scalar, type Tensor2D, tf, type Variable } from '../num/tf.ts';
import { firingRead } from './batch-stats.ts';
import type { StepNumbers } from './curve.ts';

export interface StepInput<H> {
  definition: SaeDefinition<H>;
  hp: H;
  params: Record<string, Variable>;
  adam: Adam;
  batch: SaeBatch;
  /** `last` is filled in here. */
  state: TrainState;
  lr: number;
}

/** The step's numbers, and which latents fired. */
export type StepOutput = StepNumbers & { fired: Uint8Array };

/** Everything in `loss` that outlives the gradient's own scope. */
const kept = (loss: SaeLoss) => [loss.reconstruction, ...Object.values(loss.codes), ...Object.values(loss.parts)];

function checkFinite(id: string, lr: number, step: number, loss: number, parts: Record<string, number>): void {
  if (Number.isFinite(loss)) return;
  const terms = Object.entries(parts).map(([name, value]) => `${name} ${value}`);
  throw new UserError(
    `sae ${id}: the loss is ${loss} at step ${step + 1} (${terms.join(', ')}), expected a finite number; ` +
      `lower the learning rate (now ${lr}) or check the activations.`,
  );
}

/** All that is read of a step, at once. */
function readNumbers(total: Scalar, { parts, codes, reconstruction }: SaeLoss, target: Tensor2D) {
  const names = Object.keys(parts);
  const firing = firingRead(codes);
  const errors = batchErrors(target, reconstruction);
  const [totals, sums, ...rest] = readTogether([total, errors, ...Object.values(parts), ...firing.tensors]) as [
    ArrayLike<number>,
    ArrayLike<number>,
    ...ArrayLike<number>[],
  ];
  tf.dispose([errors, ...firing.made]);
  return {
    loss: totals[0]!,
    parts: Object.fromEntries(names.map((name, i) => [name, rest[i]![0]!])),
    ...firing.of(rest.slice(names.length)),
    residual: sums[0]!,
    variance: sums[1]!,
  };
}

/** Puts new values into variables; `changed` may name only some of them. */
function assign(id: string, params: Record<string, Variable>, changed: NamedTensors): void {
  for (const [name, value] of Object.entries(changed)) {
    const param = params[name];
    if (!param) throw new Error(`sae ${id}: a hook returned unknown parameter '${name}'`);
    if (value !== param) param.assign(value);
  }
}

/** Buffers that a hook replaced are kept, and what they replaced is freed. */
function withBuffers(state: TrainState, run: () => void): void {
  const before = { ...state.buffers };
  tf.tidy(() => {
    run();
    for (const [name, buffer] of Object.entries(state.buffers)) if (buffer !== before[name]) tf.keep(buffer);
  });
  for (const [name, buffer] of Object.entries(before)) if (buffer !== state.buffers[name]) buffer.dispose();
}

/**
 * Runs one step and returns its numbers.
 *
 * @throws UserError when the loss is not finite; the parameters are then those before the step. ContractError when a number
 * that the variant keeps is not.
 */
export function trainStep<H>({ definition, hp, params, adam, batch, state, lr }: StepInput<H>): StepOutput {
  let loss: SaeLoss | undefined;
  const byVariable = new Map(Object.entries(params).map(([name, variable]) => [variable.name, name]));
  const totalLoss = () => {
    loss = definition.loss(params, batch, state, hp);
    for (const tensor of kept(loss)) if (typeof tensor === 'object') tf.keep(tensor);
    return loss.total;
  };
  const { value, grads } = inTraining(() => adam.gradients(() => tf.variableGrads(totalLoss, Object.values(params))));
  const made = loss!;
  try {
    const numbers = readNumbers(value, made, batch.target);
    const { l0, parts } = numbers;
    checkFinite(definition.id, lr, state.step, numbers.loss, parts);
    state.last = { l0, parts, ...(made.carry && { carry: made.carry }) };
    withBuffers(state, () => {
      const present = Object.entries(grads).filter(([, grad]) => grad !== null);
      const named = Object.fromEntries(present.map(([name, grad]) => [byVariable.get(name)!, grad]));
      adam.step(definition.beforeStep?.(named, params, state, hp) ?? named, lr);
      assign(definition.id, params, definition.afterStep?.(params, state, hp) ?? {});
      const restart = definition.restart?.(params, batch, state, hp);
      if (!restart) return;
      assign(definition.id, params, restart.params);
      adam.forget(restart.forget);
    });
    // A checkpoint is JSON, which would give null back: after a resume the numbers were others.
    refuseNonFinite(
      { scalars: state.scalars, last: state.last },
      `sae ${definition.id}: step ${state.step + 1}: state`,
    );
    return numbers;
  } finally {
    tf.dispose([value, ...Object.values(grads).filter((grad) => grad !== null)]);
    for (const tensor of kept(made)) if (typeof tensor === 'object') tensor.dispose();
  }
}
