/** @file Whether results that were made again are those of a submission: bit by bit, within a tolerance a metric, or not. */
import { UserError } from '../../harness/errors.ts';
import { atomicWriteJson } from '../../harness/io/atomic.ts';
import { sha256Json } from '../../harness/io/hash.ts';
import { canonicalJson, readJson } from '../../harness/io/json.ts';
import { countedRows, inWords } from '../../harness/results.ts';
import type { Result, ResultRowRecord } from '../../harness/schema/result.generated.ts';
import { validate } from '../../harness/schema/validate.ts';
import type { Verification } from '../../harness/schema/verification.generated.ts';
import { groupBy } from '../group-by.ts';
import { withoutPlaces } from '../kept.ts';
import { differing, ofMethod } from '../settings.ts';
import { type Board, sizesIn } from './board.ts';
import type { Submission } from './file.ts';
import { tableOf } from './sizes.ts';

export type { Verification } from '../../harness/schema/verification.generated.ts';

export const VERIFICATION_SCHEMA = 1;

/** One metric of one result, made again. */
export interface Deviation {
  where: string;
  submitted: number | null;
  found: number | null;
  tolerance: number;
  /** The deviation in tolerances; infinite where a value is missing on one side. */
  size: number;
}

export interface Comparison {
  outcome: Verification['outcome'];
  /** Results that were compared, and how many of them are bit-equal. */
  results: number;
  equal: number;
  /** Results with the very same key, whose code and arithmetic are the same: nothing explains a difference. */
  sameKey: number;
  /** Metrics that are not equal, the largest deviation first. */
  deviations: Deviation[];
  /** What is there on one side only, or differs beside the numbers. */
  others: string[];
}

/**
 * Of the difference of two runs of one method that differ by their rounding alone, in standard deviations over seeds: training
 * is chaotic, so that another instruction set gives what another seed would, at worst. Two seeds differ by √2 deviations.
 */
const SPREADS = 3 * Math.SQRT2;
/** Relative difference that rounding explains where no seed makes one. */
const ROUNDING = 1e-4;

const axesOf = ({ axes }: Pick<ResultRowRecord, 'axes'>): string => canonicalJson(axes);

/** Pooled standard deviation over seeds of each metric of the reference's SAEs, by table, row and metric. */
export function seedSpreads({ reference }: Pick<Board, 'reference'>): Map<string, number> {
  const values = reference
    .filter(({ method }) => method.kind === 'sae')
    .flatMap((result) =>
      result.rows.flatMap((row) =>
        Object.entries(row.metrics).flatMap(([name, { value }]) =>
          value === null
            ? []
            : [{ key: `${tableOf(result)} ${axesOf(row)} ${name}`, method: result.method.name, value }],
        ),
      ),
    );
  return new Map(
    groupBy(values, ({ key }) => key).map((all) => {
      const variances = groupBy(all, ({ method }) => method).flatMap((own) => {
        if (own.length < 2) return [];
        const mean = own.reduce((sum, { value }) => sum + value / own.length, 0);
        return [own.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (own.length - 1)];
      });
      const pooled = variances.reduce((sum, variance) => sum + variance / variances.length, 0);
      return [all[0]!.key, Math.sqrt(pooled)];
    }),
  );
}

/** The tolerance of a metric on another machine. */
export function toleranceOf(spreads: ReadonlyMap<string, number>, key: string, value: number): number {
  return SPREADS * (spreads.get(key) ?? 0) + ROUNDING * Math.max(1, Math.abs(value));
}

const comparable = (result: Result): string =>
  canonicalJson({ rows: countedRows(result), marks: result.marks ?? [], unavailable: result.unavailable ?? null });

function deviationsOf(submitted: Result, found: Result, spreads: ReadonlyMap<string, number>): Deviation[] {
  const again = new Map(countedRows(found).map((row) => [axesOf(row), row]));
  return countedRows(submitted).flatMap((row) => {
    const made = again.get(axesOf(row))?.metrics ?? {};
    // What one of the two does not name is missing there.
    return Object.keys({ ...row.metrics, ...made }).flatMap((name): Deviation[] => {
      const [value, other] = [row.metrics, made].map((metrics) => metrics[name]?.value ?? null) as [
        number | null,
        number | null,
      ];
      if (value === other) return [];
      const axes = Object.values(row.axes).join(' ');
      const where = [tableOf(submitted), `seed ${submitted.seed}`, axes, name].filter(Boolean).join(' ');
      if (value === null || other === null)
        return [{ where, submitted: value, found: other, tolerance: 0, size: Infinity }];
      const tolerance = toleranceOf(spreads, `${tableOf(submitted)} ${axesOf(row)} ${name}`, value);
      return [{ where, submitted: value, found: other, tolerance, size: Math.abs(value - other) / tolerance }];
    });
  });
}

const nameOf = (result: Result): string => `${tableOf(result)} seed ${result.seed}`;

/** What a result says that its method is: its options, those of its training, its sizes. */
const methodIn = (result: Result) => ({ ...ofMethod(result), ...inWords('', sizesIn(result)) });

/** What the submission says of the method, and this code does not: the sizes that it is checked by are words in a file. */
function otherMethod(submitted: Result, own: Result): string[] {
  // Submissions are without the paths of a machine, a checkpoint's model among them.
  const [theirs, ours] = [methodIn(submitted), methodIn(withoutPlaces(own))];
  return differing([theirs, ours]).map(
    (name) => `${nameOf(submitted)}: ${name}: submitted ${theirs[name] ?? 'none'}, found ${ours[name] ?? 'none'}`,
  );
}

/** What was fitted and scored. */
export interface Made {
  results: readonly Result[];
  weights: Submission['weights'];
}

/** Compares one result with its like; what forbids to believe it goes into `found.others`. */
function compareOne(submitted: Result, own: Result, spreads: ReadonlyMap<string, number>, found: Comparison): void {
  const same = own.key === submitted.key;
  found.results += 1;
  if (same) found.sameKey += 1;
  found.others.push(...otherMethod(submitted, own));
  if (comparable(own) === comparable(submitted)) {
    found.equal += 1;
    return;
  }
  const deviations = deviationsOf(submitted, own, spreads);
  found.deviations.push(...deviations);
  const lost = (own.marks ?? []).flatMap(({ code }) =>
    submitted.marks?.some((mark) => mark.code === code) ? [] : code,
  );
  const rows = [own, submitted].map((result) => canonicalJson(result.rows.map(axesOf)));
  if (same) found.others.push(`${nameOf(submitted)}: differs, though code and instruction set are the same`);
  else if (lost.length > 0) found.others.push(`${nameOf(submitted)}: marked here, and not there: ${lost.join(', ')}`);
  else if (rows[0] !== rows[1]) found.others.push(`${nameOf(submitted)}: has other rows`);
}

/** Places and seeds whose fitted weights are others, among those of which some result has the very same key. */
function otherWeights(submitted: Made, made: Made): string[] {
  const known = new Map(
    submitted.weights.map(({ subject, site, seed, sha256 }) => [`${subject} ${site} seed ${seed}`, sha256]),
  );
  const keys = new Set(submitted.results.map(({ key }) => key));
  return made.weights.flatMap(({ subject, site, seed, sha256 }) => {
    const name = `${subject} ${site} seed ${seed}`;
    const same = made.results.some(
      (result) => result.subject.id === subject && result.site.name === site && keys.has(result.key),
    );
    return same && known.get(name) !== sha256
      ? [`${name}: other weights, though code and instruction set are the same`]
      : [];
  });
}

/**
 * Compares what was made again with what was submitted.
 *
 * @param submitted Of it what was to be made again.
 */
export function compareAgain(submitted: Made, made: Made, board: Pick<Board, 'reference'>): Comparison {
  const spreads = seedSpreads(board);
  const again = new Map(made.results.map((result) => [nameOf(result), result]));
  const found: Comparison = { outcome: 'bit-equal', results: 0, equal: 0, sameKey: 0, deviations: [], others: [] };
  for (const result of submitted.results) {
    const own = again.get(nameOf(result));
    again.delete(nameOf(result));
    if (own) compareOne(result, own, spreads, found);
    else found.others.push(`${nameOf(result)}: this code does not make it`);
  }
  for (const name of again.keys()) found.others.push(`${name}: was not submitted`);
  found.others.push(...otherWeights(submitted, made));
  found.deviations.sort((a, b) => b.size - a.size);
  if (found.others.length > 0 || found.deviations.some(({ size }) => size > 1)) found.outcome = 'differs';
  else if (found.equal < found.results) found.outcome = 'within-tolerance';
  return found;
}

const checksumOf = ({ checksum: _, ...rest }: Partial<Verification>): string => sha256Json(rest);

/** Writes what was found beside the submission. */
export async function writeVerification(
  file: string,
  content: Omit<Verification, 'schema' | 'checksum' | 'submission' | 'protocol'>,
  { checksum, protocol }: Pick<Submission, 'checksum' | 'protocol'>,
): Promise<void> {
  const record = { schema: VERIFICATION_SCHEMA, submission: checksum, protocol, ...content } as const;
  await atomicWriteJson(file, { ...record, checksum: checksumOf(record) });
}

/** @throws UserError for what is no record, or was edited. */
export async function readVerification(file: string): Promise<Verification> {
  const where = `verification ${file}`;
  const found = await validate('verification', await readJson(file, 'verification'), where);
  if (found.checksum !== checksumOf(found)) {
    throw new UserError(`${where}: was edited after it was written. Verify again: saxbench verify FILE --record.`);
  }
  return found;
}
