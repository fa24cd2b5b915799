/** @file What lies in a run's folder of results before it begins: nothing of another run is replaced or mixed unsaid. */
import { rm } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import type { Plan } from '../plan.ts';
import { backendInWords, type Conditions, conditionsOf, readResult, resultFile, resultFiles } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import { placeOf, plannedResults } from './results.ts';

/** What a folder of results is of. */
export interface FolderOwner {
  suite: string;
  /** `--limit`; absent for a whole run. */
  limit?: number;
}

const named = ({ suite, limit }: FolderOwner) =>
  `suite ${suite} ${limit === undefined ? 'without --limit' : `with --limit ${limit}`}`;

/** Whose a result is, as far as it says so. */
function ownerOf(value: unknown): FolderOwner | undefined {
  const { suite, limited, provenance } = (value ?? {}) as {
    suite?: { id?: unknown };
    limited?: unknown;
    provenance?: { arguments?: { resolved?: { limit?: unknown } } };
  };
  if (typeof suite?.id !== 'string') return undefined;
  const limit = limited === true ? Number(provenance?.arguments?.resolved?.limit) : undefined;
  return { suite: suite.id, ...(limit === undefined ? {} : { limit }) };
}

/**
 * @throws UserError when the folder holds results of another suite, or of this one at another size: full results would
 * be replaced by limited ones, or stand beside them.
 */
export async function checkOwner(out: string, owner: FolderOwner): Promise<void> {
  for (const file of await resultFiles(out)) {
    const found = ownerOf(await readJson(file, 'result').catch(() => undefined));
    if (!found || (found.suite === owner.suite && found.limit === owner.limit)) continue;
    throw new UserError(
      `--out ${out}: expected an empty folder or results of ${named(owner)}; found results of ${named(found)}: ` +
        'name another --out, or move them away.',
    );
  }
}

/** A result of the folder whose table the plan would make under other conditions. */
interface OtherResult {
  file: string;
  /** `method task`, as a person calls it. */
  name: string;
  /** The first setting that differs: what the plan has, and what was found. */
  setting: string;
  expected: string;
  found: string;
  /** Whether the plan makes a result at its place. */
  planned: boolean;
}

export interface FolderFindings {
  others: OtherResult[];
  /** Results of the plan that lie there from other code, another build or instruction set: they are made anew. */
  outdated: number;
  /** Results of its tables that come from other code, and that the plan does not make. */
  left: number;
}

const placeName = (subject: string, site: string, task: string) => JSON.stringify([subject, site, task]);

/** Conditions and hash of every table that a plan makes. */
function tablesOf(plan: Plan): Map<string, { conditions: Conditions; table: string }> {
  return new Map(
    plannedResults(plan).map(({ sitePlan: { subject, site }, evaluation: { task, settings } }) => {
      const { limited, backend } = plan;
      const conditions = conditionsOf({ subject, dataset: subject.dataset, task, settings, limited, backend });
      return [placeName(subject.id, site, task.id), { conditions, table: settings.table }];
    }),
  );
}

/** The first setting in which conditions differ; what a result of an older saxbench does not say is not compared. */
function firstDifference(expected: Conditions, found: Conditions, { data }: Result['settings']): string | undefined {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  return names.find((name) => expected[name] !== found[name] && (data !== undefined || !name.startsWith('data.')));
}

/** Compares the results of a folder with a plan. What cannot be read is left to those who read results. */
export async function compareFolder(out: string, plan: Plan): Promise<FolderFindings> {
  const tables = tablesOf(plan);
  const keys = new Map(plannedResults(plan).map((each) => [resultFile(out, placeOf(each)), each.evaluation.key]));
  const findings: FolderFindings = { others: [], outdated: 0, left: 0 };
  for (const file of await resultFiles(out)) {
    const result = await readResult(file).catch(() => undefined);
    if (!result) continue;
    const { subject, site, task, method, settings, provenance } = result;
    const own = tables.get(placeName(subject.id, site.name, task.id));
    if (!own) continue;
    const found = conditionsOf({ ...result, backend: backendInWords(provenance.backend) });
    const setting = firstDifference(own.conditions, found, settings);
    if (setting !== undefined) {
      const values = { expected: own.conditions[setting] ?? 'none', found: found[setting] ?? 'none' };
      findings.others.push({ file, name: `${method.name} ${task.id}`, setting, ...values, planned: keys.has(file) });
    } else if (keys.has(file)) {
      if (keys.get(file) !== result.key) findings.outdated++;
    } else if (settings.table !== own.table) findings.left++;
  }
  return findings;
}

/** Longest value in a message. */
const MAX_VALUE = 60;
const cut = (value: string) => (value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value);

/** @throws UserError for results under other conditions: they would be replaced by, or ranked beside, this run's. */
export function refuseOthers(out: string, { others }: FolderFindings): void {
  const [first] = others;
  if (first === undefined) return;
  const { name, setting, expected, found } = first;
  const more = others.length > 1 ? ` (and ${others.length - 1} more differ)` : '';
  throw new UserError(
    `--out ${out}: expected results with ${setting} ${cut(expected)}, as this run; found ${name} with ${cut(found)}${more}: ` +
      'name another --out, or replace them with --overwrite.',
  );
}

/** Removes the results under other conditions. */
export async function removeOthers({ others }: FolderFindings): Promise<void> {
  for (const { file } of others) await rm(file, { force: true });
}

/** What a person should know of a folder whose results come from other code; nothing where there are none. */
export function outdatedLines({ outdated, left, others }: FolderFindings): string[] {
  const replaced = others.filter(({ planned }) => planned).length;
  const removed = others.length - replaced;
  return [
    ...(replaced > 0 ? [`${replaced} results under other settings are replaced.`] : []),
    ...(removed > 0
      ? [`${removed} results under other settings are removed, and this run makes none in their place.`]
      : []),
    ...(outdated > 0 ? [`${outdated} results come from other code or another build: they are made anew.`] : []),
    ...(left > 0
      ? [`${left} results of other methods come from other code or another build: they stay, as rows apart (#hash).`]
      : []),
  ];
}
