/** @file Which columns of a table of examples are what: of the format, concepts, covariates, or not read. */
import { someOf, suggest, UserError } from '../errors.ts';
import { namedConcepts, RESERVED } from './concepts-table.ts';
import type { DomainConcept, DomainSettings } from './domain.ts';
import { labelOfCell } from './labels.ts';
import { cell, type Table } from './table.ts';

export interface Columns {
  form: 'wide' | 'long';
  /** Of the wide form: the concepts that have a column of their own name. */
  concepts: string[];
}

/** @throws UserError for settings that name a column which is not there, or one that they cannot name. */
function checkDeclared({ where, columns }: Table, { covariates, ignore }: DomainSettings, concepts: string[]): void {
  for (const [key, names] of Object.entries({ covariates, ignore })) {
    for (const name of names) {
      if (RESERVED.includes(name) || concepts.includes(name)) {
        const what = concepts.includes(name) ? 'a concept of concepts.csv' : 'a column of the format';
        throw new UserError(`suite.json: ${key}: '${name}' is ${what}; it cannot be declared here.`);
      }
      if (columns.includes(name)) continue;
      const near = suggest(name, columns);
      const hint = near.length > 0 ? ` Did you mean: ${near.join(', ')}?` : '';
      throw new UserError(
        `suite.json: ${key}: expected a column of ${where}, found '${name}'.${hint} It has ${someOf(columns)}.`,
      );
    }
  }
  const both = covariates.find((name) => ignore.includes(name));
  if (both !== undefined) {
    throw new UserError(`suite.json: '${both}' stands under covariates and under ignore; keep one of them.`);
  }
}

/** Form of the table and the names of concepts in it. @throws UserError for columns that are nothing, or that are lacking. */
export function columnsOf(
  table: Table,
  settings: DomainSettings,
  listed: readonly DomainConcept[] | undefined,
): Columns {
  const { where, columns } = table;
  const known = listed?.map(({ name }) => name) ?? [];
  const has = (name: string) => columns.includes(name);
  checkDeclared(table, settings, known);
  if (!has('text') && !has('image')) {
    throw new UserError(`${where}: expected a column 'text' or 'image', found ${someOf(columns)}.`);
  }
  if (has('concept') !== has('role')) {
    const [there, away] = has('concept') ? ['concept', 'role'] : ['role', 'concept'];
    throw new UserError(
      `${where}: has the column '${there}' and no '${away}': one example of one concept a row needs both.`,
    );
  }
  const form = has('concept') ? 'long' : 'wide';
  const others = columns.filter(
    (name) => !RESERVED.includes(name) && !settings.covariates.includes(name) && !settings.ignore.includes(name),
  );
  const isConcept = (name: string) =>
    form === 'wide' &&
    (listed ? known.includes(name) : table.rows.every((row) => labelOfCell(cell(row, name)) !== undefined));
  const stray = others.find((name) => !isConcept(name));
  if (stray !== undefined) {
    const near = suggest(stray, [...RESERVED, ...known]);
    const what =
      form === 'long' ? '' : listed ? ', nor a concept of concepts.csv' : ', nor a concept (its cells are no labels)';
    throw new UserError(
      `${where}: column '${stray}' is none of the format${what}.${near.length > 0 ? ` Did you mean: ${near.join(', ')}?` : ''} ` +
        `Name it in suite.json, as "covariates": ["${stray}"], or not to read it, as "ignore": ["${stray}"].`,
    );
  }
  if (form === 'wide' && others.length === 0) {
    throw new UserError(
      `${where}: expected a column for each concept, or the columns concept and role; found ${someOf(columns)}.`,
    );
  }
  return { form, concepts: others };
}

/** Concepts of a table of which none are listed: those that it names. */
export function foundConcepts(table: Table, { form, concepts }: Columns): DomainConcept[] {
  const names = form === 'wide' ? concepts : [...new Set(table.rows.map((row) => cell(row, 'concept')))];
  return namedConcepts(
    names.filter((name) => name !== ''),
    table.where,
  );
}
