/** @file Two runs compared: differences with intervals, sorted by evidence, and what rules make of them. Writes its texts. */
import { join } from 'node:path';
import { atomicWriteFile } from '../harness/io/atomic.ts';
import type { Comparison } from './compare/comparison.ts';
import { renderHtml } from './compare/html.ts';
import { toJson } from './compare/json.ts';
import { toJunit } from './compare/junit.ts';
import { renderMarkdown } from './compare/markdown.ts';

export { annotations } from './compare/annotations.ts';
export { type Comparison, compareRuns } from './compare/comparison.ts';
export { toJson } from './compare/json.ts';
export { BASELINE, baselineFile, loadSide, type Side, suiteOf, writeBaseline } from './compare/load.ts';
export { renderMarkdown } from './compare/markdown.ts';
export { parseRule, type Rule } from './compare/rules.ts';

/** Writes compare.md, compare.html, compare.json and compare.junit.xml into a folder; returns their paths. */
export async function writeComparison(comparison: Comparison, folder: string): Promise<string[]> {
  const files: [string, string][] = [
    [join(folder, 'compare.md'), renderMarkdown(comparison)],
    [join(folder, 'compare.html'), await renderHtml(comparison)],
    [join(folder, 'compare.json'), `${JSON.stringify(toJson(comparison), null, 2)}\n`],
    [join(folder, 'compare.junit.xml'), toJunit(comparison)],
  ];
  for (const [file, text] of files) await atomicWriteFile(file, text);
  return files.map(([file]) => file);
}
