/** @file The metrics of the task, with their definitions. */
import type { MetricDefinition } from '../../harness/contract.ts';
import { reconstructionVersion } from '../../harness/kit/index.ts';

type Metrics = Record<string, MetricDefinition>;

const counted = (description: string, unit: string): MetricDefinition => ({
  ...{ description, direction: 'min', range: [0, null], unit, version: 1, counted: true },
});

/** What another machine gives another value: runs are not compared by it. */
const measured = (description: string, direction: 'max' | 'min', unit: string, version = 1): MetricDefinition => ({
  ...{ description, direction, range: [0, null], unit, version, measured: true },
});

/** Of the method as it is. */
export const SIZE_METRICS: Metrics = {
  parameters: counted('Numbers that the fitted method keeps.', 'numbers'),
  bytes: counted('Bytes of those numbers, as float32.', 'bytes'),
};

export const MAC_METRICS: Metrics = {
  macs: {
    ...counted('Multiply-accumulates per token of encoding and decoding, as the method declares them.', 'MACs'),
    main: true,
  },
  macs_encode: counted('Multiply-accumulates per token of encoding.', 'MACs'),
  macs_decode: counted(
    'The same of decoding: only the active latents where codes are sparse, at the L0 aimed at.',
    'MACs',
  ),
};

/** What is had for it: the same as in `reconstruction`. */
export const QUALITY_METRICS: Metrics = {
  explained_variance: {
    ...{ description: '1 − E‖x − x̂‖² ÷ (E‖x‖² − ‖E x‖²) of the test rows.', direction: 'max', range: [null, 1] },
    ...{ unit: '', version: reconstructionVersion },
  },
  l0: {
    ...{ description: 'Mean number of non-zero latents.', direction: 'none', range: [0, null] },
    ...{ unit: 'latents', version: reconstructionVersion },
  },
};

/** Of inference, here and now. */
export const INFERENCE_METRICS: Metrics = {
  encode_tokens_per_second: measured(
    'Rows ÷ median seconds of encoding a batch, on all threads that the backend has, while nothing else of the run computes; 95 % interval of the median.',
    'max',
    'tokens/s',
    2,
  ),
  tokens_per_second: measured('The same of encoding and decoding.', 'max', 'tokens/s', 2),
  tokens_per_cpu_second: measured(
    'The same in seconds of processor time of all threads of the run in place of time that passes: what other programs on the machine disturb least.',
    'max',
    'tokens/s',
  ),
  memory: measured(
    'Most bytes of tensors while a batch is encoded and decoded: the method’s own and what it makes; not what kernels take inside.',
    'min',
    'bytes',
  ),
};

/** Of training, as it was. */
export const TRAINING_METRICS: Metrics = {
  train_tokens_per_second: measured(
    'Batch size ÷ median seconds of a training step, on the machine and beside the threads that trained it; 95 % interval of the median.',
    'max',
    'tokens/s',
  ),
  train_memory: measured(
    'Most bytes of tensors during a training step: weights, moments, gradients, activations; not what kernels take inside.',
    'min',
    'bytes',
  ),
};

export const METRICS: Metrics = {
  ...MAC_METRICS,
  ...SIZE_METRICS,
  ...QUALITY_METRICS,
  ...TRAINING_METRICS,
  ...INFERENCE_METRICS,
};
