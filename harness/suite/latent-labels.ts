/** @file Descriptions of latents in a file, such as an export of Neuronpedia: which latent, and what it is said to stand for. */
import { extname } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { readCsvRecords } from '../io/csv.ts';
import { sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import { readJsonl } from '../io/jsonl.ts';

/** A file of labels as a plan knows it. */
export interface LabelsFile {
  path: string;
  /** Hash of the labels as they are read: of the same bytes read in another way it is another. */
  fingerprint: string;
}

/** Names of the two fields, the first that a record has; Neuronpedia's are `index` and `description`. */
const INDEX = ['index', 'latent', 'feature', 'feature_index'];
const DESCRIPTION = ['description', 'label', 'explanation'];
/** What Neuronpedia names an SAE by. */
const SAE = ['modelId', 'layer'];

/** @throws UserError for a file that cannot be read as labels. */
export async function labelsFile(path: string): Promise<LabelsFile> {
  return { path, fingerprint: sha256Json(await readLatentLabels(path)) };
}

/** The labels of a plan. @throws UserError where the file holds others by now. */
export async function plannedLabels({ path, fingerprint }: LabelsFile): Promise<Record<number, string>> {
  const labels = await readLatentLabels(path);
  if (sha256Json(labels) === fingerprint) return labels;
  throw new UserError(`labels ${path}: changed since the run was planned; run the command again.`);
}

/**
 * Labels by latent: from `.jsonl` and `.csv` (`.tsv`) of records, or `.json` of a list of records or an object
 * { latent: description }. Of several descriptions of a latent the first counts, as in AxBench.
 *
 * @throws UserError naming the file and the record for what has no latent or no description, or is of another SAE than the records
 *   before; and for a file without any.
 */
export async function readLatentLabels(path: string): Promise<Record<number, string>> {
  const labels: Record<number, string> = {};
  const sae: Record<string, unknown> = {};
  let records = 0;
  for await (const record of recordsOf(path)) {
    records++;
    const where = `labels ${path}: record ${records}`;
    for (const name of SAE) {
      sae[name] ??= record[name];
      if (record[name] === undefined || record[name] === sae[name]) continue;
      throw new UserError(
        `${where}: expected labels of one SAE, of ${name} ${shown(sae[name])}; found ${shown(record[name])}.`,
      );
    }
    const latent = latentOf(fieldOf(record, INDEX), where);
    const description = fieldOf(record, DESCRIPTION);
    if (typeof description !== 'string' || description.trim() === '') {
      throw new UserError(
        `${where}: expected a text in one of ${DESCRIPTION.join(', ')}; found ${shown(description)}.`,
      );
    }
    labels[latent] ??= description;
  }
  if (records === 0) throw new UserError(`labels ${path}: expected descriptions of latents, found none.`);
  return labels;
}

/** @throws UserError where a label is of a latent that the method has not. */
export function requireLatents(labels: Record<number, string>, d_sae: number | undefined, where: string): void {
  if (d_sae === undefined) throw new UserError(`${where}: has 'labels', but no latents.`);
  const beyond = Object.keys(labels).find((latent) => Number(latent) >= d_sae);
  if (beyond === undefined) return;
  throw new UserError(
    `${where}: labels: expected latents from 0 to ${d_sae - 1}, found ${beyond}: they are of another SAE.`,
  );
}

async function* recordsOf(path: string): AsyncGenerator<Record<string, unknown>> {
  const kind = extname(path).toLowerCase();
  if (kind === '.csv' || kind === '.tsv') yield* readCsvRecords(path);
  else if (kind === '.jsonl') for await (const record of readJsonl(path)) yield recordOf(record, path);
  else if (kind === '.json') yield* recordsOfJson(await readJson(path, 'labels'), path);
  else throw new UserError(`labels ${path}: expected a file named .json, .jsonl, .csv or .tsv.`);
}

function* recordsOfJson(value: unknown, path: string): Generator<Record<string, unknown>> {
  if (Array.isArray(value)) {
    for (const record of value) yield recordOf(record, path);
    return;
  }
  for (const [index, description] of Object.entries(recordOf(value, path))) yield { index, description };
}

function recordOf(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UserError(`labels ${path}: expected records { index, description }; found ${shown(value)}.`);
}

const fieldOf = (record: Record<string, unknown>, names: readonly string[]): unknown =>
  record[names.find((name) => record[name] !== undefined) ?? ''];

function latentOf(value: unknown, where: string): number {
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  throw new UserError(
    `${where}: expected the number of a latent in one of ${INDEX.join(', ')}; found ${shown(value)}.`,
  );
}
