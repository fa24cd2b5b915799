/** @file Handlebars templates of this folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../harness/paths.ts';

/** Renders `reports/templates/<name>`; HTML templates escape, Markdown ones do not (their cells are escaped before). */
export async function renderTemplate(name: string, data: unknown): Promise<string> {
  const { default: handlebars } = await import('handlebars');
  const source = await readFile(join(packageRoot, 'reports', 'templates', name), 'utf8');
  return handlebars.compile(source, { noEscape: !name.endsWith('.html.hbs'), strict: false })(data);
}
