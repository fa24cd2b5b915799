/**
 * @file Puts into the model cards of the embedded subjects what the methods of the suite variants reach on them, from the
 * reference results: whether detection and steering tell methods apart there, or all of them stand at a floor or a ceiling.
 * `node --import tsx models/pretrained/headroom.ts`, after `npx saxbench run variants --update-leaderboard`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJsonl } from '../../harness/io/jsonl.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import type { Result } from '../../harness/schema/result.generated.ts';

const REFERENCE = 'reports/results/variants.jsonl';
const HEADING = '\n## What methods reach on it\n';

/** The columns: a metric of a task, at the rows of its table that stand for a method, the first selection that it has. */
const COLUMNS = [
  { task: 'concept-detection', metric: 'auroc', title: 'detection', selections: ['detector', 'auroc'] },
  { task: 'steering', metric: 'overall', title: 'steering', selections: ['detector', 'auroc'] },
] as const;

/** Part of the methods of the fullest site that one needs to stand in a card. */
const FEWEST = 0.25;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0);

/**
 * Mean over seeds of one method's value in one column at a site: of its detector, or without one of its best latent; the
 * better of several interventions.
 */
function reached(results: readonly Result[], column: (typeof COLUMNS)[number]): number | undefined {
  for (const selection of column.selections) {
    const byIntervention = new Map<string, number[]>();
    for (const { task, rows } of results) {
      if (task.id !== column.task) continue;
      for (const { axes, metrics } of rows) {
        const value = metrics[column.metric]?.value;
        if (axes['selection'] !== selection || typeof value !== 'number') continue;
        const intervention = axes['intervention'] ?? '';
        byIntervention.set(intervention, [...(byIntervention.get(intervention) ?? []), value]);
      }
    }
    if (byIntervention.size > 0) return Math.max(...[...byIntervention.values()].map(mean));
  }
  return undefined;
}

/** The section of a subject's card; undefined where the results have nothing on it. */
export function headroomSection(subject: string, results: readonly Result[]): string | undefined {
  const own = results.filter((result) => result.subject.id === subject);
  if (own.length === 0) return undefined;
  const methodsAt = (name: string) =>
    new Set(own.filter(({ site }) => site.name === name).map(({ method }) => method.name)).size;
  const all = [...new Set(own.map(({ site }) => site.name))];
  // Where only a variant or two belong, there is nothing to tell apart.
  const sites = all.filter((site) => methodsAt(site) >= FEWEST * Math.max(...all.map(methodsAt)));
  const measured = ({ site, column }: { site: string; column: (typeof COLUMNS)[number] }) =>
    own.some((result) => result.site.name === site && result.task.id === column.task);
  const columns = sites.flatMap((site) => COLUMNS.map((column) => ({ site, column }))).filter(measured);
  const methods = [...new Set(own.map(({ method }) => method.name))];
  const table = methods.map((method) => ({
    method,
    values: columns.map(({ site, column }) =>
      reached(
        own.filter((result) => result.method.name === method && result.site.name === site),
        column,
      ),
    ),
  }));
  const shown = table.filter(({ values }) => values.some((value) => value !== undefined));
  // By steering, else by detection.
  const steering = Math.max(
    0,
    columns.findIndex(({ column }) => column.task === 'steering'),
  );
  shown.sort((a, b) => (b.values[steering] ?? -1) - (a.values[steering] ?? -1));
  const cell = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
  return [
    HEADING,
    'Detection is the mean AUROC of the method’s detector or, without one, of the best latent (chance 0.5); steering the',
    'overall score (0 to 2), by the better way of steering. Means over concepts and seeds of the suite `variants`, whose',
    'intervals are in LEADERBOARD.md.',
    '',
    `| method | ${columns.map(({ site, column }) => `${column.title}, ${site}`).join(' | ')} |`,
    `|---|${columns.map(() => '---:|').join('')}`,
    ...shown.map(({ method, values }) => `| ${method} | ${values.map(cell).join(' | ')} |`),
    '',
  ].join('\n');
}

/** A model card with its section replaced, or added. The section is the last of the card. */
export function withSection(card: string, section: string): string {
  return `${card.split(HEADING)[0]!.trimEnd()}\n${section}`;
}

/** A newly measured card with the section of the one that it replaces, if that has one. */
export function keepSection(card: string, replaced: string): string {
  const section = replaced.split(HEADING)[1];
  return section === undefined ? card : withSection(card, HEADING + section);
}

/** Writes a newly measured card into a subject's folder; the section of the one that was there stays. */
export function writeCard(folder: string, card: string): void {
  const file = `${folder}README.md`;
  writeFileSync(file, keepSection(card, existsSync(file) ? readFileSync(file, 'utf8') : ''));
}

/** The subjects of results that come with the package. */
export function embedded(results: readonly Result[]): string[] {
  const ids = [...new Set(results.map(({ subject }) => subject.id))];
  return ids.filter((id) => existsSync(cardOf(id)));
}

const cardOf = (id: string): string => fileURLToPath(new URL(`${id}/README.md`, import.meta.url));

/** The committed reference results. */
export async function referenceResults(): Promise<Result[]> {
  const results: Result[] = [];
  for await (const line of readJsonl(join(packageRoot, REFERENCE))) results.push(line as Result);
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = await referenceResults();
  for (const subject of embedded(results)) {
    const section = headroomSection(subject, results);
    if (section === undefined) continue;
    const file = cardOf(subject);
    await writeFile(file, withSection(await readFile(file, 'utf8'), section));
    console.log(`${subject}${section}`);
  }
}
