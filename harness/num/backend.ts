/** @file Chooses and names the TensorFlow.js backend; the backends themselves are in `backends/`, a file each. */
import type * as Tf from '@tensorflow/tfjs-core';
import { UserError } from '../errors.ts';
import { type Attempt, candidates, choose, type Rejected } from './backends/choose.ts';
import { cpu } from './backends/cpu.ts';
import {
  BACKEND_CHOICES,
  BACKEND_NAMES,
  type BackendChoice,
  type BackendName,
  OPTIONAL,
  PRECISIONS,
} from './backends/names.ts';
import { native } from './backends/native.ts';
import {
  type Backend,
  importPackage,
  type LoadedBackend,
  makeCurrent,
  NotHere,
  type RunningBackend,
  reasonOf,
} from './backends/record.ts';
import { tensorflow } from './backends/tensorflow.ts';
import { wasm } from './backends/wasm.ts';
import { webgpu } from './backends/webgpu.ts';
import { registerGradients } from './gradients/index.ts';
import { setStatisticsKernels } from './kernels/statistics.ts';
import { type Precision, setPrecision } from './precision.ts';
import { setTf, tf } from './tf.ts';

export type { BackendChoice, BackendName } from './backends/names.ts';
export type { LoadedBackend } from './backends/record.ts';

const BACKENDS: Readonly<Record<BackendName, Backend>> = { tensorflow, native, wasm, cpu, webgpu };

/** The backend in use, as results record it. */
export interface BackendInfo extends LoadedBackend {
  name: BackendName;
  precision: Precision;
  /** Backends that come before this one in the order of choice, and why each could not be used. */
  rejected: Rejected[];
}

/** One line of `saxbench doctor`. */
export type BackendProbe = Pick<Backend, 'chosen'> & { name: BackendName } & (
    | ({ available: true } & LoadedBackend)
    | ({ available: false } & Omit<Rejected, 'name'>)
  );

/** JavaScript's own functions, such as Math.exp: they change with the engine, not with its patches. */
const javascript = () => `V8 ${process.versions.v8.split('.').slice(0, 2).join('.')}, ${process.arch}`;

async function use(name: BackendName, { statistics }: RunningBackend): Promise<void> {
  await makeCurrent(name);
  setStatisticsKernels(statistics);
}

/** @throws UserError, where `refuse` says so, for a mistake of the user's, which another backend in its place would hide. */
async function attempt(name: BackendName, refuse: boolean): Promise<Attempt> {
  try {
    return await BACKENDS[name].load();
  } catch (error) {
    const reason = reasonOf(error);
    const { mend, mistake } = error instanceof NotHere ? error : { mend: BACKENDS[name].mend, mistake: false };
    if (refuse && mistake) throw new UserError(`${reason}: ${mend}.`);
    return { reason, mend };
  }
}

/** What a backend says about itself in the given precision. @throws UserError where it has no products in bfloat16. */
function inPrecision(name: BackendName, { says, bfloat }: RunningBackend, precision: Precision): LoadedBackend {
  if (precision === 'float32') return says;
  if (!bfloat) {
    throw new UserError(
      `precision: expected float32: backend ${name} on this machine (${says.device}, ${says.detail}) has no products in bfloat16, ` +
        'which take a CPU with AMX or AVX512-BF16 and backend native; found bf16.',
    );
  }
  const arithmetic = `${says.arithmetic}, bf16 by ${bfloat}`;
  return { ...says, detail: `${says.detail}, products in bf16`, arithmetic };
}

async function loadCore(): Promise<void> {
  if (tf) return;
  const core = await importPackage<typeof Tf>('@tensorflow/tfjs-core');
  core.enableProdMode();
  setTf(core);
}

/**
 * Loads TensorFlow.js and makes `tf` usable. `auto` (the default) takes the first backend that starts, in the order native,
 * tensorflow, wasm, cpu, with a CUDA device tensorflow first (webgpu has to be asked for); in bfloat16 only native serves.
 * A later call may switch to another backend; tensors are moved by tfjs on use.
 *
 * @throws UserError when a backend asked for by name is unknown or does not start, with the reason, or lacks the precision; when a
 *   variable that native reads (`SAXBENCH_THREADS`, …) is wrong and native's turn comes.
 */
export async function initBackend(
  choice: BackendChoice = 'auto',
  precision: Precision = 'float32',
): Promise<BackendInfo> {
  if (!PRECISIONS.includes(precision)) {
    throw new UserError(`precision: expected one of ${PRECISIONS.join(', ')}; found '${precision}'.`);
  }
  const fitting = choice === 'auto' && precision === 'bf16' ? 'native' : choice;
  const wanted = candidates(fitting, (name) => BACKENDS[name].mayLead?.() ?? false);
  if (wanted.length === 0) {
    throw new UserError(`backend: expected one of ${BACKEND_CHOICES.join(', ')}; found '${choice}'.`);
  }
  await loadCore();
  const { chosen, rejected } = await choose(wanted, (name) => attempt(name, true));
  if (!chosen) {
    const [first] = rejected;
    throw new UserError(
      `backend ${first!.name}: not available here: ${first!.reason}. ` +
        `To mend: ${first!.mend}; or let saxbench choose with --backend auto.`,
    );
  }
  const { name, running } = chosen;
  const says = inPrecision(name, running, precision);
  await use(name, running);
  setPrecision(precision);
  // After loading, so that they hold on every backend: tfjs-node brings another set.
  registerGradients();
  return { name, precision, ...says, arithmetic: `${name}: ${says.arithmetic}; ${javascript()}`, rejected };
}

/** Lines on faster backends that every installation should have and this run goes without: not TensorFlow, which is optional. */
export function passedOver({ name: used, rejected }: Pick<BackendInfo, 'name' | 'rejected'>): string[] {
  return rejected
    .filter(({ name }) => !OPTIONAL.includes(name))
    .map(
      ({ name, reason, mend }) => `running on ${used}, which is slower: backend ${name}: ${reason}. To mend: ${mend}.`,
    );
}

/** Tries every backend and says what each is or why it is not available. The backend in use stays in use. */
export async function probeBackends(): Promise<BackendProbe[]> {
  await loadCore();
  const current = tf.getBackend() as BackendName | undefined;
  const probes: BackendProbe[] = [];
  for (const name of BACKEND_NAMES) {
    const outcome = await attempt(name, false);
    const { chosen } = BACKENDS[name];
    probes.push(
      'reason' in outcome
        ? { name, chosen, available: false, ...outcome }
        : { name, chosen, available: true, ...outcome.says },
    );
  }
  const before = current && (await attempt(current, false));
  if (before && !('reason' in before)) await use(current, before);
  return probes;
}

/**
 * Runs one of the parts of a run that share the cores. Where every core has one, the native kernels stay on the core of
 * the part that calls them; their results do not depend on it.
 */
export async function sharingCores<T>(run: () => Promise<T>): Promise<T> {
  const { addCallers } = await BACKENDS[tf.getBackend() as BackendName].load();
  if (!addCallers) return run();
  addCallers(1);
  try {
    return await run();
  } finally {
    addCallers(-1);
  }
}
