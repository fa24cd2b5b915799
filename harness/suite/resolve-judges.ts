/** @file The judges that a task's options name. */
import { UserError, unknownName } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { ResolvedJudge } from './resolved.ts';

/** The endpoint of a run; without one, no judge can be asked. */
export interface ChatPlace {
  endpoint?: string;
}

/** The judges of a task, and the encoder that those read texts by that declare `embeds`. */
export interface ResolvedJudges {
  resolved: { judge: ResolvedJudge; otherJudges?: ResolvedJudge[] };
  embedder?: unknown;
}

/**
 * The judges that a task's option names, one or a list, with their own options filled in: `judgeOptions` are those of the
 * one judge, or of each by its id.
 *
 * @throws UserError for unknown judges and options, two encoders, and of a run (`chat`) where a judge cannot be asked.
 */
export async function resolveJudges(
  { judge, judgeOptions = {} }: Record<string, unknown>,
  registry: Registry,
  where: string,
  chat: ChatPlace | undefined,
): Promise<ResolvedJudges> {
  const ids = Array.isArray(judge) ? judge.map(String) : [String(judge)];
  const given = judgeOptions as Record<string, unknown>;
  const unknown = ids.length > 1 ? Object.keys(given).find((id) => !ids.includes(id)) : undefined;
  if (unknown !== undefined)
    throw unknownName(`judge in ${where}: judgeOptions (of several judges: by their ids)`, unknown, ids);
  const judges = await Promise.all(
    ids.map((id) => resolveJudge(id, (ids.length > 1 ? given[id] : given) as typeof given, registry, where, chat)),
  );
  const embedders = [...new Set(judges.flatMap(({ embedder }) => embedder ?? []))];
  if (embedders.length > 1) {
    throw new UserError(`${where}: judgeOptions: expected one encoder for all judges; found ${embedders.join(', ')}.`);
  }
  const [first, ...others] = judges.map(({ resolved }) => resolved);
  return {
    resolved: { judge: first!, ...(others.length > 0 ? { otherJudges: others } : {}) },
    ...(embedders.length > 0 ? { embedder: embedders[0] } : {}),
  };
}

async function resolveJudge(
  name: string,
  given: Record<string, unknown> | undefined,
  registry: Registry,
  where: string,
  chat: ChatPlace | undefined,
): Promise<{ resolved: ResolvedJudge; embedder?: unknown }> {
  const definition = await registry.get('judge', name);
  const { id, version } = definition;
  const all = await resolveOptions(definition.options, given, `${where}: judge ${id}`);
  // By its fingerprint, and not by where it lies.
  const { embedder, ...others } = all;
  const options = definition.embeds ? others : all;
  const read = definition.embeds && embedder !== undefined ? { embedder } : {};
  if (!definition.asks || !chat) return { resolved: { id, version, options }, ...read };
  const { endpoint } = chat;
  if (endpoint === undefined) {
    throw new UserError(
      `${where}: judge ${id}: expected the endpoint that it asks: --judge-url, as https://api.openai.com/v1 or http://localhost:8000/v1; found none.`,
    );
  }
  if (typeof options['model'] !== 'string') {
    throw new UserError(`${where}: judge ${id}: expected a model: --judge-model, as gpt-4o-mini; found none.`);
  }
  return { resolved: { id, version, options, endpoint }, ...read };
}
