/** @file `concepts.csv`: names, synonyms, codes, parents, definitions and prevalences. */
import { UserError, unknownName } from '../errors.ts';
import { type DomainConcept, LABEL } from './domain.ts';
import { isMissing, labelOfCell } from './labels.ts';
import { cell, type Table } from './table.ts';

const COLUMNS = ['name', 'synonyms', 'code', 'parent', 'definition', 'prevalence', 'deniable'];

/** Columns of examples that are no concepts. */
export const RESERVED = ['id', 'text', 'image', 'group_id', 'split', 'concept', 'role'];

/** A share of a population is told in steps of one in so many, the smallest that is told from none. */
export const PREVALENCE_STEPS = 1e9;

/** Beyond every vocabulary of which each concept has examples of its own. */
const MAX_CONCEPTS = 10_000;

/** A name as ids are: lower-case letters and digits of any script, joined by dashes; a name without any, by its code points. */
export function conceptId(name: string): string {
  const plain = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return plain === '' ? Array.from(name, (char) => `u${char.codePointAt(0)!.toString(16)}`).join('-') : plain;
}

/**
 * Concepts of these names, without more than the name.
 *
 * @throws UserError for two names that are one id, and for too many.
 */
export function namedConcepts(names: readonly string[], where: string): DomainConcept[] {
  if (names.length > MAX_CONCEPTS) {
    throw new UserError(`${where}: expected at most ${MAX_CONCEPTS} concepts, found ${names.length}.`);
  }
  const owners = new Map<string, string>();
  return names.map((name) => {
    const id = conceptId(name);
    const other = owners.get(id);
    if (other !== undefined) {
      const twice = other === name ? `'${name}' twice` : `'${other}' and '${name}', which are both '${id}'`;
      throw new UserError(`${where}: expected concepts of different names; found ${twice}: rename or join them.`);
    }
    owners.set(id, name);
    return { id, name, synonyms: [] };
  });
}

/** A share as written; undefined where it is blank. @throws UserError for what is none, and for none or all. */
function prevalenceOfCell(given: string, place: string): number | undefined {
  if (isMissing(given)) return undefined;
  const share = Number(given);
  if (share >= 1 / PREVALENCE_STEPS && share <= 1 - 1 / PREVALENCE_STEPS) return share;
  throw new UserError(
    `${place}: prevalence: expected the share of the population that shows it, above 0 and below 1, as 0.02, or blank; found '${given}'.`,
  );
}

/** @throws UserError naming the circle where a concept is above itself. */
function refuseCircles(concepts: readonly DomainConcept[], where: string): void {
  const done = new Set<number>();
  for (const start of concepts.keys()) {
    const way: number[] = [];
    for (let at: number | undefined = start; at !== undefined && !done.has(at); at = concepts[at]!.parent) {
      if (way.includes(at)) {
        const names = [...way.slice(way.indexOf(at)), at].map((place) => concepts[place]!.name);
        throw new UserError(`${where}: expected parents without a circle; found ${names.join(' → ')}.`);
      }
      way.push(at);
    }
    for (const place of way) done.add(place);
  }
}

/** @throws UserError for unknown columns or parents, names that are blank, reserved or occur twice, and circles of parents. */
export function conceptsOf({ where, columns, rows }: Table): DomainConcept[] {
  const unknown = columns.find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined) throw unknownName(`column of ${where}`, unknown, COLUMNS);
  if (!columns.includes('name')) {
    throw new UserError(`${where}: expected a column 'name', found ${columns.join(', ')}.`);
  }
  const names = rows.map((row, i) => {
    const name = cell(row, 'name');
    if (name === '') throw new UserError(`${where}: row ${i + 1}: expected a name, found nothing.`);
    if (RESERVED.includes(name)) {
      throw new UserError(
        `${where}: row ${i + 1}: '${name}' is a column that the format has itself: rename the concept.`,
      );
    }
    return name;
  });
  const concepts = namedConcepts(names, where).map((concept, i): DomainConcept => {
    const row = rows[i]!;
    const { name } = concept;
    const listed = cell(row, 'synonyms')
      .split(/[;|]/)
      .map((word) => word.trim())
      .filter((word) => word !== '' && word !== name);
    const parent = cell(row, 'parent');
    const place = names.indexOf(parent);
    if (parent !== '' && place < 0) throw unknownName(`parent of '${name}' in ${where}`, parent, names);
    const [code, definition] = [cell(row, 'code'), cell(row, 'definition')];
    const deniable = labelOfCell(cell(row, 'deniable'));
    if (deniable === undefined || deniable === LABEL.hardNegative) {
      throw new UserError(
        `${where}: row ${i + 1}: deniable: expected yes, no or blank; found '${cell(row, 'deniable')}'.`,
      );
    }
    const prevalence = prevalenceOfCell(cell(row, 'prevalence'), `${where}: row ${i + 1}`);
    return {
      ...{ ...concept, synonyms: [...new Set(listed)] },
      ...(code === '' ? {} : { code }),
      ...(parent === '' ? {} : { parent: place }),
      ...(definition === '' ? {} : { definition }),
      ...(prevalence === undefined ? {} : { prevalence }),
      ...(deniable === LABEL.negative ? { deniable: false } : {}),
    };
  });
  refuseCircles(concepts, where);
  return concepts;
}
