/** @file The judges that a task's options name. */
import { UserError, unknownName } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { ResolvedJudge, ResolvedTask } from './resolved.ts';

/** The endpoint of a run; without one, no judge can be asked. */
export interface ChatPlace {
  endpoint?: string;
}

/**
 * The judges that a task's option names, one or a list, with their own options filled in: `judgeOptions` are those of the
 * one judge, or of each by its id.
 */
export async function resolveJudges(
  { judge, judgeOptions = {} }: Record<string, unknown>,
  registry: Registry,
  where: string,
  chat: ChatPlace | undefined,
): Promise<Pick<ResolvedTask, 'judge' | 'otherJudges'>> {
  const ids = Array.isArray(judge) ? judge.map(String) : [String(judge)];
  const given = judgeOptions as Record<string, unknown>;
  const unknown = ids.length > 1 ? Object.keys(given).find((id) => !ids.includes(id)) : undefined;
  if (unknown !== undefined)
    throw unknownName(`judge in ${where}: judgeOptions (of several judges: by their ids)`, unknown, ids);
  const [first, ...others] = await Promise.all(
    ids.map((id) => resolveJudge(id, (ids.length > 1 ? given[id] : given) as typeof given, registry, where, chat)),
  );
  return { judge: first!, ...(others.length > 0 ? { otherJudges: others } : {}) };
}

async function resolveJudge(
  name: string,
  given: Record<string, unknown> | undefined,
  registry: Registry,
  where: string,
  chat: ChatPlace | undefined,
): Promise<ResolvedJudge> {
  const definition = await registry.get('judge', name);
  const { id, version } = definition;
  const options = await resolveOptions(definition.options, given, `${where}: judge ${id}`);
  if (!definition.asks || !chat) return { id, version, options };
  const { endpoint } = chat;
  if (endpoint === undefined) {
    throw new UserError(
      `${where}: judge ${id}: expected the endpoint that it asks: --judge-url, as https://api.openai.com/v1 or http://localhost:8000/v1; found none.`,
    );
  }
  if (typeof options['model'] !== 'string') {
    throw new UserError(`${where}: judge ${id}: expected a model: --judge-model, as gpt-4o-mini; found none.`);
  }
  return { id, version, options, endpoint };
}
