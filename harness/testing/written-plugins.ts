/** @file Plug-ins that a test writes: a good task, and a loader that gives each the file of its id. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPlugin } from '../plugins.ts';
import type { Registry } from '../registry.ts';

/** How a fault of a plug-in is told. */
export const blamed = (file: string, line: string) =>
  `plug-in ${file}: ${line}. Mend it there; the same command goes on from here.`;

/** Uses all that a method offers, as tasks do; `value` is what its metric gives. */
export const taskSource = (id: string, outcome: string) => `
import { defineTask, tf } from 'saxbench';
export default defineTask({ id: '${id}', title: 'T', version: 1, options: {}, axes: {}, seeded: false,
  metrics: { value: { description: 'V.', direction: 'max', range: [0, 1], unit: '', main: true } },
  async run({ method, train }) {
    const x = tf.tensor2d(await train.read(0, 5), [5, train.d_in]);
    const codes = method.encode?.(x);
    if (codes) method.decode?.(codes);
    method.directions?.();
    const detector = method.detector?.({ id: 'letter', label: 'letters' });
    detector?.score?.(x);
    detector?.scoreItem?.({ id: 'first', text: 'a' });
    detector?.intervene?.([1]);
    await detector?.scoreItems?.({ items: [{ id: 'first', text: 'a' }], activations: train }, Uint32Array.of(0));
    const row = { axes: {}, metrics: { value: { value: 0.5, ci95: null, n: 3 } } };
    ${outcome}
  } });`;

/** Writes a plug-in and loads it. @returns its file. */
export async function writePlugin(folder: string, registry: Registry, id: string, source: string): Promise<string> {
  const file = join(folder, `${id}.mjs`);
  writeFileSync(file, source);
  await loadPlugin(file, registry);
  return file;
}
