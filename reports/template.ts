/** @file Handlebars templates of this folder, compiled once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../harness/paths.ts';

type Template = (data: unknown) => string;

const compiled = new Map<string, Template>();

/** Renders `reports/templates/<name>`; HTML templates escape, Markdown ones do not (their cells are escaped before). */
export async function renderTemplate(name: string, data: unknown): Promise<string> {
  let template = compiled.get(name);
  if (!template) {
    const { default: handlebars } = await import('handlebars');
    const source = await readFile(join(packageRoot, 'reports', 'templates', name), 'utf8');
    template = handlebars.compile(source, { noEscape: !name.endsWith('.html.hbs'), strict: false }) as Template;
    compiled.set(name, template);
  }
  return template(data);
}
