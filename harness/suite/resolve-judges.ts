/** @file The judges that a task's options name. */
import { UserError, unknownName } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import { namedJudges, withJudgeOptions } from './named-judges.ts';
import type { ResolvedJudge } from './resolved.ts';

/** The endpoint of a run; without one, no judge can be asked. */
export interface ChatPlace {
  endpoint?: string;
}

/** The judges of a task, and the encoder that those read texts by that declare `embeds`. */
export interface ResolvedJudges {
  resolved: { judge: ResolvedJudge; otherJudges?: ResolvedJudge[] };
  /** The task's options without that encoder's place. */
  options: Record<string, unknown>;
  embedder?: unknown;
}

/**
 * The judges that a task's options name, with their own options filled in.
 *
 * @throws UserError for unknown judges and options, two encoders, and of a run (`chat`) where a judge cannot be asked.
 */
export async function resolveJudges(
  options: Record<string, unknown>,
  registry: Registry,
  where: string,
  chat: ChatPlace | undefined,
): Promise<ResolvedJudges> {
  const { ids, options: given } = namedJudges(options);
  const unknown = Object.keys(given).find((id) => !ids.includes(id));
  if (unknown !== undefined)
    throw unknownName(`judge in ${where}: judgeOptions (of several judges: by their ids)`, unknown, ids);
  const judges = await Promise.all(ids.map((id) => resolveJudge(id, given[id], registry, where, chat)));
  const embedders = [...new Set(judges.flatMap(({ embedder }) => embedder ?? []))];
  if (embedders.length > 1) {
    throw new UserError(`${where}: judgeOptions: expected one encoder for all judges; found ${embedders.join(', ')}.`);
  }
  const reading = ids.filter((_, i) => judges[i]!.embedder !== undefined);
  const [first, ...others] = judges.map(({ resolved }) => resolved);
  return {
    resolved: { judge: first!, ...(others.length > 0 ? { otherJudges: others } : {}) },
    options: withJudgeOptions(options, (own, id) => (reading.includes(id) ? withoutEmbedder(own) : own)),
    ...(embedders.length > 0 ? { embedder: embedders[0] } : {}),
  };
}

/** Options of a judge without its encoder, which counts by its fingerprint, and not by where it lies. */
const withoutEmbedder = ({ embedder: _place, ...others }: Record<string, unknown>) => others;

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
  const options = definition.embeds ? withoutEmbedder(all) : all;
  const read = definition.embeds && all['embedder'] !== undefined ? { embedder: all['embedder'] } : {};
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
