/** @file What the harness gives a task beside its inputs, for the tests of tasks. */
import type {
  ChatModel,
  Dataset,
  FittedMethod,
  ItemEmbedder,
  JudgeDefinition,
  Replies,
  TaskContext,
  TaskJudge,
} from '../contract.ts';
import { taskJudge } from '../execute/evaluate.ts';
import { createOnce } from '../execute/once.ts';
import { poolLatents } from '../kit/index.ts';

/** As of one site with one method. */
export function taskTools(method: FittedMethod): Pick<TaskContext<unknown>, 'latents' | 'shared'> {
  return { latents: (set) => poolLatents(method, set), shared: createOnce() };
}

/** What a judge of a test is opened with. */
interface JudgeParts {
  options?: Record<string, unknown>;
  chat?: ChatModel;
  replies?: Replies;
  embedder?: ItemEmbedder;
}

/** A judge on a dataset, which keeps no replies but where it is given a place for them. */
export function judgeOn(
  dataset: Dataset,
  definition: JudgeDefinition,
  { options = {}, chat, replies, embedder }: JudgeParts = {},
): TaskJudge {
  const { id, version } = definition;
  const kept = replies ?? { once: <T>(_request: unknown, ask: () => Promise<T>) => ask() };
  const session = { dataset, own: () => {} };
  return taskJudge(definition, { id, version, options }, session, kept, chat, async () => embedder);
}
