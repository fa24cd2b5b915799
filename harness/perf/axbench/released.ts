/** @file A folder of a run as AxBench writes it: scores of held-out texts, and judged generations with the judge's replies. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { readJsonl } from '../../io/jsonl.ts';
import { readParquet } from '../../io/parquet.ts';
import type { Judged } from './protocol.ts';
import { axbenchRating } from './replies.ts';

/** Largest token score of each method on one held-out text. */
export interface DetectionRow {
  concept: number;
  /** undefined of a hard negative, which AxBench leaves out of its AUROC. */
  positive: boolean | undefined;
  scores: Record<string, number>;
}

/** Generations of one method, their ratings read from the replies, and as they were stored. */
export interface SteeringRun {
  method: string;
  generations: (Judged & { stored: readonly [number, number, number]; overall: number })[];
}

const DETECTION = 'inference/latent_data.parquet';
const STEERING = 'evaluate/steering_data.parquet';
const RATINGS = ['relevance_concept', 'relevance_instruction', 'fluency'] as const;
const PARTS = 'LMJudgeEvaluator';

/** Methods of a table, by the columns that end in `suffix`. */
async function methodsOf(path: string, suffix: string): Promise<string[]> {
  const [first] = await readParquet(path, { from: 0, to: 1 });
  return Object.keys(first ?? {})
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
}

function numberIn(row: Record<string, unknown>, name: string, where: string): number {
  const value = row[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new UserError(`${where}: ${name}: expected a number; found ${String(value)}.`);
}

const ROLES: Record<string, boolean | undefined> = { positive: true, negative: false, 'hard negative': undefined };

/** @throws UserError naming file, row and column of what is not there or has another form. */
export async function readDetection(folder: string): Promise<{ methods: string[]; rows: DetectionRow[] } | undefined> {
  const path = join(folder, DETECTION);
  if (!existsSync(path)) return undefined;
  const methods = await methodsOf(path, '_max_act');
  const columns = ['concept_id', 'category', ...methods.map((method) => `${method}_max_act`)];
  const rows = (await readParquet(path, { columns })).map((row, i): DetectionRow => {
    const where = `${path}: row ${i}`;
    const category = String(row['category']);
    if (!Object.hasOwn(ROLES, category)) {
      throw new UserError(`${where}: category: expected ${Object.keys(ROLES).join(', ')}; found '${category}'.`);
    }
    const scores = methods.map((method) => [method, numberIn(row, `${method}_max_act`, where)] as const);
    return {
      concept: numberIn(row, 'concept_id', where),
      positive: ROLES[category],
      scores: Object.fromEntries(scores),
    };
  });
  return { methods, rows };
}

/** The judged generations of each method. @throws as {@link readDetection}. */
export async function readSteering(folder: string): Promise<SteeringRun[]> {
  const path = join(folder, STEERING);
  if (!existsSync(path)) return [];
  const runs: SteeringRun[] = [];
  for (const method of await methodsOf(path, `_${PARTS}`)) {
    const judged = `${method}_${PARTS}`;
    const completions = RATINGS.map((name) => `${judged}_${name}_completions`);
    const stored = RATINGS.map((name) => `${judged}_${name}_ratings`);
    const columns = ['concept_id', 'input_id', 'factor', judged, ...completions, ...stored];
    const rows = await readParquet(path, { columns });
    const generations = rows.map((row, i) => {
      const where = `${path}: row ${i}`;
      const number = (name: string) => numberIn(row, name, where);
      const read = (name: string) => {
        const reply = row[name];
        if (typeof reply !== 'string')
          throw new UserError(`${where}: ${name}: expected a text; found ${String(reply)}.`);
        return axbenchRating(reply);
      };
      return {
        ...{ concept: number('concept_id'), input: number('input_id'), factor: number('factor') },
        ratings: completions.map(read) as unknown as Judged['ratings'],
        stored: stored.map(number) as unknown as [number, number, number],
        overall: number(judged),
      };
    });
    runs.push({ method, generations });
  }
  return runs;
}

/** What a run released of each concept: AUROC by method, and mean overall scores by factor. */
export interface Released {
  auroc: Map<string, Map<number, number>>;
  overall: Map<string, Map<number, { factor: number; overall: number }[]>>;
}

type Evaluated = { concept_id: number; results: Record<string, Record<string, Record<string, unknown>> | undefined> };

/** Of `latent.jsonl` and `steering.jsonl`; empty where they are absent. */
export async function readReleased(folder: string): Promise<Released> {
  const released: Released = { auroc: new Map(), overall: new Map() };
  const put = <T>(into: Map<string, Map<number, T>>, method: string, concept: number, value: T) =>
    into.set(method, (into.get(method) ?? new Map<number, T>()).set(concept, value));
  const each = async (file: string, evaluator: string, use: (line: Evaluated, method: string) => void) => {
    const path = join(folder, 'evaluate', file);
    if (!existsSync(path)) return;
    for await (const line of readJsonl(path)) {
      const found = line as Evaluated;
      for (const method of Object.keys(found.results?.[evaluator] ?? {})) use(found, method);
    }
  };
  await each('latent.jsonl', 'AUCROCEvaluator', ({ concept_id, results }, method) =>
    put(released.auroc, method, concept_id, results['AUCROCEvaluator']![method]!['roc_auc'] as number),
  );
  await each('steering.jsonl', PARTS, ({ concept_id, results }, method) => {
    const { factor, lm_judge_rating: overall } = results[PARTS]![method]! as Record<string, number[]>;
    put(
      released.overall,
      method,
      concept_id,
      factor!.map((value, i) => ({ factor: value, overall: overall![i]! })),
    );
  });
  return released;
}
