/** @file How a task's options name its judges: `judge` is one or a list; `judgeOptions` are those of the one, or of each by its id. */

type Options = Record<string, unknown>;

/** The judges of a task, the one that ranks first, with what is given of their options. */
export interface NamedJudges {
  ids: string[];
  options: Readonly<Record<string, Options>>;
}

/** @param fallback The judge where none is named. */
export function namedJudges(given: Options = {}, fallback?: unknown): NamedJudges {
  const { judge = fallback, judgeOptions = {} } = given;
  const ids = Array.isArray(judge) ? judge.map(String) : [String(judge)];
  const options = ids.length > 1 ? judgeOptions : { [ids[0]!]: judgeOptions };
  return { ids, options: options as NamedJudges['options'] };
}

/** The options that name judges so. */
export function optionsNaming({ ids, options }: NamedJudges): { judge: string | string[]; judgeOptions: Options } {
  const several = ids.length > 1;
  return { judge: several ? ids : ids[0]!, judgeOptions: several ? options : (options[ids[0]!] ?? {}) };
}

const isOptions = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A task's options with what is given of each judge's changed; what is no options of a judge stays for their check. */
export function withJudgeOptions(options: Options, change: (own: Options, id: string) => Options): Options {
  if (!isOptions(options['judgeOptions'])) return options;
  const { ids, options: given } = namedJudges(options);
  const changed = Object.entries(given).map(([id, own]) => [id, isOptions(own) ? change(own, id) : own]);
  const { judgeOptions } = optionsNaming({ ids, options: Object.fromEntries(changed) });
  return { ...options, judgeOptions };
}
