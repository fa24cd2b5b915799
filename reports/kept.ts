/** @file Results as they are kept beyond their run: in the repository, as a baseline. */
import { basename, dirname, isAbsolute, relative } from 'node:path';
import { packageRoot } from '../harness/paths.ts';
import { sealed } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';

/** A result as the repository keeps it: without what only plots, the HTML report and inspection need, and without the paths of a machine. */
export function keptResult({
  details: _details,
  latents: _latents,
  curves: _curves,
  training,
  provenance,
  ...given
}: Result): Result {
  const { scatter: _scatter, curves: _drawn, ...shows } = given.task.shows ?? {};
  const metrics = Object.fromEntries(
    Object.entries(given.task.metrics).map(([name, { description: _text, ...definition }]) => [name, definition]),
  );
  const task = { ...given.task, metrics, ...(given.task.shows ? { shows } : {}) };
  return sealed({
    ...given,
    dataset: withoutPlaces(given.dataset),
    task,
    ...(training ? { training: { ...training, curve: {} } } : {}),
    provenance: { ...provenance, arguments: { passed: [], resolved: {} } },
  });
}

/** With files named from the checkout, or by their names where they lie elsewhere: whose machine it was is nobody's concern. */
export function withoutPlaces<T>(value: T): T {
  if (typeof value === 'string' && isAbsolute(value)) {
    const beside = dirname(packageRoot);
    return (value.startsWith(`${beside}/`) ? relative(packageRoot, value) : basename(value)) as T;
  }
  if (Array.isArray(value)) return value.map(withoutPlaces) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, withoutPlaces(own)])) as T;
}
