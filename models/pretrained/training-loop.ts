/** @file The training loop of the embedded subjects: Adam, one-cycle learning rate, gradient clipping, a progress line. */
import { createAdam } from '../../harness/num/optimiser.ts';
import { scheduleMultiplier } from '../../harness/num/schedules.ts';
import { type NamedTensors, type Scalar, tf, type Variable } from '../../harness/num/tf.ts';

export interface LoopOptions {
  /** Steps of the learning rate's cycle. */
  steps: number;
  /** How many of them are made; all, unless given. */
  until?: number;
  lr: number;
  warmup: number;
  beta2: number;
  weightDecay: number;
  clipNorm: number;
  logEvery: number;
}

/**
 * Minimises `loss` over the variables made of `params`, whose tensors are consumed. `loss` is called with the step
 * inside a tidy; `onLog` is given the mean loss since the last call, and the variables as they are: long trainings save
 * them. Returns the trained variables.
 */
export async function runTrainingLoop(
  params: NamedTensors,
  options: LoopOptions,
  loss: (variables: Record<string, Variable>, step: number) => Scalar,
  onLog: (step: number, meanLoss: number, variables: Record<string, Variable>) => void | Promise<void>,
): Promise<Record<string, Variable>> {
  const variables: Record<string, Variable> = {};
  for (const [name, tensor] of Object.entries(params)) {
    variables[name] = tf.variable(tensor, true, name);
    tensor.dispose();
  }
  // Gains, biases and the temperature are spared from weight decay, as in CLIP and GPT recipes.
  const noDecay = Object.entries(variables).flatMap(([name, variable]) => (variable.rank < 2 ? [name] : []));
  const { beta2, weightDecay, clipNorm, steps, until = steps, lr, warmup, logEvery } = options;
  const adam = createAdam(variables, { beta2, weightDecay, noDecay, clipNorm });
  let sum = 0;
  let count = 0;
  for (let step = 0; step < until; step++) {
    const { value, grads } = tf.variableGrads(() => loss(variables, step), Object.values(variables));
    adam.step(grads, lr * scheduleMultiplier({ warmup, decay: 'cosine', decayTo: 0.02 }, step, steps));
    sum += value.dataSync()[0]!;
    count++;
    tf.dispose([value, ...Object.values(grads)]);
    if ((step + 1) % logEvery === 0 || step + 1 === until) {
      await onLog(step + 1, sum / count, variables);
      sum = 0;
      count = 0;
    }
  }
  adam.dispose();
  return variables;
}
