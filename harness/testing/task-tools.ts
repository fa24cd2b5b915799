/** @file What the harness gives a task beside its inputs, for the tests of tasks. */
import type { FittedMethod, TaskContext } from '../contract.ts';
import { createOnce } from '../execute/once.ts';
import { poolLatents } from '../kit/index.ts';

/** As of one site with one method. */
export function taskTools(method: FittedMethod): Pick<TaskContext<unknown>, 'latents' | 'shared'> {
  return { latents: (set) => poolLatents(method, set), shared: createOnce() };
}
