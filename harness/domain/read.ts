/** @file Reads a domain's folder: `examples.csv|jsonl|parquet`, `concepts.csv`, and what `suite.json` says of the data. */
import { existsSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { sha256File, sha256Json } from '../io/hash.ts';
import { columnsOf, foundConcepts } from './columns.ts';
import { conceptsOf } from './concepts-table.ts';
import type { Domain, DomainConcept, DomainExample } from './domain.ts';
import { labelledRows, type TableExample } from './examples.ts';
import { domainImage } from './images.ts';
import { readSuiteFile, settingsOf } from './settings.ts';
import { firstColumns, readTable, tableFile } from './table.ts';

const EXAMPLES = 'examples';
const CONCEPTS = 'concepts.csv';

/** Whether a folder is a domain: one with a table of examples. */
export const isDomain = (folder: string): boolean =>
  existsSync(folder) && statSync(folder).isDirectory() && tableFile(folder, EXAMPLES) !== undefined;

/** The table of examples of a folder, as a file's name. @throws UserError where it has none, or several. */
function examplesFile(folder: string): string {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UserError(`domain ${folder}: expected a folder, found ${existsSync(folder) ? 'a file' : 'nothing'}.`);
  }
  const file = tableFile(folder, EXAMPLES);
  if (file !== undefined) return file;
  throw new UserError(
    `domain ${folder}: expected ${EXAMPLES}.csv, ${EXAMPLES}.jsonl or ${EXAMPLES}.parquet in it, found none; saxbench new domain NAME writes one to start from.`,
  );
}

/** What the examples of a folder are, by the columns of its table alone. */
export async function examplesModality(folder: string): Promise<Domain['modality']> {
  const file = examplesFile(folder);
  return (await firstColumns(join(folder, file), file)).includes('image') ? 'image' : 'text';
}

/** Values of covariates as numbers, where all values of one are. */
function typedCovariates(examples: readonly TableExample[], names: readonly string[]): Domain['covariates'] {
  return names.map((name) => {
    const values = examples.map(({ covariates }) => covariates[name]).filter((value) => value !== undefined);
    const numeric = values.length > 0 && values.every((value) => Number.isFinite(Number(value)));
    if (numeric) {
      for (const { covariates } of examples) {
        if (covariates[name] !== undefined) covariates[name] = Number(covariates[name]);
      }
    }
    return { name, numeric };
  });
}

/** @throws UserError for a listed concept of which the table has nothing, unless it is above others. */
function refuseUnused(concepts: readonly DomainConcept[], used: ReadonlySet<string>, where: string): void {
  const parents = new Set(concepts.map(({ parent }) => parent));
  const lost = concepts.find(({ name }, c) => !used.has(name) && !parents.has(c));
  if (lost === undefined) return;
  throw new UserError(
    `${CONCEPTS}: '${lost.name}' has no example in ${where} and is no other's parent: add its column or rows, or take it out.`,
  );
}

/**
 * A domain, checked.
 *
 * @throws UserError naming file and row for the first thing that is wrong.
 */
export async function readDomain(given: string): Promise<Domain> {
  const folder = resolve(given);
  const file = examplesFile(folder);
  const settings = settingsOf(await readSuiteFile(folder), `domain ${folder}: suite.json`);
  const table = await readTable(join(folder, file), file);
  const conceptsFile = join(folder, CONCEPTS);
  const listed = existsSync(conceptsFile) ? conceptsOf(await readTable(conceptsFile, CONCEPTS)) : undefined;
  const columns = columnsOf(table, settings, listed);
  const concepts = listed ?? foundConcepts(table, columns);
  if (listed) {
    const named = columns.form === 'wide' ? columns.concepts : table.rows.map((row) => row['concept'] ?? '');
    refuseUnused(listed, new Set(named), file);
  }
  const { examples: rows, labels } = labelledRows(table, columns, concepts, settings);
  const modality = table.columns.includes('image') ? 'image' : 'text';
  const covariates = typedCovariates(rows, settings.covariates);
  const root = await realpath(folder);
  const hashes: string[] = [];
  const examples: DomainExample[] = [];
  for (const { image, ...row } of rows) {
    if (modality === 'text' || image === undefined) examples.push(row);
    else {
      const found = await domainImage(root, image, `${file}: example '${row.id}'`);
      hashes.push(found.hash);
      examples.push({ ...row, image: found });
    }
  }
  const fingerprint = sha256Json({
    examples: await sha256File(join(folder, file)),
    ...(listed ? { concepts: await sha256File(conceptsFile) } : {}),
    ...{ covariates: settings.covariates, ignore: settings.ignore },
    ...(modality === 'image' ? { images: hashes } : {}),
  });
  return { folder, file, modality, settings, examples, concepts, labels, covariates, fingerprint };
}
