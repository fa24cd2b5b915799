/** @file What the harness gives a task beside its inputs, for the tests of tasks. */
import type { Dataset, FittedMethod, ItemEmbedder, JudgeDefinition, TaskContext, TaskJudge } from '../contract.ts';
import { taskJudge } from '../execute/evaluate.ts';
import { createOnce } from '../execute/once.ts';
import { poolLatents } from '../kit/index.ts';

/** As of one site with one method. */
export function taskTools(method: FittedMethod): Pick<TaskContext<unknown>, 'latents' | 'shared'> {
  return { latents: (set) => poolLatents(method, set), shared: createOnce() };
}

/** A judge on a dataset, which keeps no replies. */
export function judgeOn(dataset: Dataset, definition: JudgeDefinition, embedder?: ItemEmbedder): TaskJudge {
  const { id, version } = definition;
  const replies = { once: <T>(_request: unknown, ask: () => Promise<T>) => ask() };
  return taskJudge(definition, { id, version, options: {} }, { dataset, own: () => {} }, replies, async () => embedder);
}
