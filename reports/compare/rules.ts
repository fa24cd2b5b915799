/** @file Rules that make a comparison fail, as suites and `--fail-if` write them. */
import { suggest, UserError } from '../../harness/errors.ts';
import type { Result } from '../../harness/schema/result.generated.ts';

/** What of a change fails, or what must be shown of it. */
export type RuleKind = 'drops' | 'rises' | 'worsens' | 'changes' | 'not within';

export interface Rule {
  /** As it was written. */
  text: string;
  /** Of one task alone; absent: of every task that has the metric. */
  task?: string;
  /** A metric, or `main`: that of each task. */
  metric: string;
  /** Names of methods; absent: all but controls. */
  methods?: string[];
  kind: RuleKind;
  /** Size of the change that must be passed, or the margin that it must be shown to stay within; at least 0. */
  amount: number;
  /** `amount` is a share of the value before. */
  relative: boolean;
  /** Greatest chance that noise alone does it: 1 less the level. */
  alpha: number;
}

/** The metric of each task that ranks its methods. */
export const MAIN = 'main';

const LEVEL = 0.95;
/** Below it a rule would be a coin. */
const LEAST_LEVEL = 0.5;

const NUMBER = String.raw`\d+(?:\.\d+)?(?:e-?\d+)?`;
const RULE = new RegExp(
  String.raw`^(?:([\w-]+)\.)?([\w@-]+)(?: of ([^ ]+))? (?:(drops|rises|worsens|changes)(?: (?:by )?(${NUMBER}) ?(%)?(?![\w.]))?|not within (${NUMBER}) ?(%)?)(?: at (${NUMBER}) ?%)?$`,
);

const FORM =
  "'auroc drops 0.02 at 95%', 'reconstruction.l0 changes 5%', 'main of topk,relu worsens' or 'auroc not within 0.02 at 95%'";

/**
 * Reads `[TASK.]METRIC [of METHOD,…] drops|rises|worsens|changes [AMOUNT[%]] [at LEVEL%]` or
 * `[TASK.]METRIC [of METHOD,…] not within MARGIN[%] [at LEVEL%]`.
 *
 * @param where Starts the message, e.g. the flag.
 * @throws UserError for what is no rule.
 */
export function parseRule(given: string, where: string): Rule {
  const text = given.trim().replaceAll(/\s+/g, ' ');
  const found = RULE.exec(text);
  if (!found) throw new UserError(`${where}: expected a rule such as ${FORM}; found '${given}'.`);
  const [, task, metric, methods, verb, amount, share, margin, marginShare, level] = found;
  const confidence = level === undefined ? LEVEL : Number(level) / 100;
  if (!(confidence >= LEAST_LEVEL && confidence < 1)) {
    throw new UserError(`${where}: '${text}': expected a level of 50 % to below 100 %; found ${level} %.`);
  }
  if (verb === undefined && Number(margin) === 0) {
    throw new UserError(`${where}: '${text}': expected a margin above 0: nothing can be shown to stay within 0.`);
  }
  return {
    text,
    ...(task === undefined ? {} : { task }),
    metric: metric!,
    ...(methods === undefined ? {} : { methods: methods.split(',').filter((name) => name !== '') }),
    kind: (verb ?? 'not within') as RuleKind,
    amount: Number(amount ?? margin ?? 0),
    relative: (share ?? marginShare) !== undefined,
    alpha: 1 - confidence,
  };
}

/**
 * Refuses rules about what neither run has: a misspelt name would never fail.
 *
 * @throws UserError naming the rule, the name and the nearest ones.
 */
export function checkRules(rules: readonly Rule[], results: readonly Result[]): void {
  const tasks = new Map(results.map(({ task }) => [task.id, task]));
  const methods = [...new Set(results.map(({ method }) => method.name))];
  for (const { text, task, metric, kind, methods: named = [] } of rules) {
    if (task !== undefined) known('task', task, [...tasks.keys()], text);
    const own = [...tasks.values()].filter(({ id }) => task === undefined || id === task);
    known('metric', metric, [MAIN, ...new Set(own.flatMap(({ metrics }) => Object.keys(metrics)))], text);
    const blind = own.find(({ metrics }) => kind === 'worsens' && metrics[metric]?.direction === 'none');
    if (blind) {
      throw new UserError(
        `rule '${text}': expected drops, rises or changes: of ${metric} neither more nor less is better.`,
      );
    }
    for (const name of named) known('method', name, methods, text);
  }
}

function known(what: string, name: string, names: readonly string[], rule: string): void {
  if (names.includes(name)) return;
  const close = suggest(name, names);
  const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
  throw new UserError(`rule '${rule}': expected a ${what} of the runs; found '${name}'.${hint}`);
}
