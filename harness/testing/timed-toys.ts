/** @file Toys that take a moment: two methods and one that fails, a task that measures time and one that does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineBaseline, defineTask } from '../contract.ts';
import type { Registry } from '../registry.ts';

/** Adds them to a registry; a list of what each began and ended. `beside`: a fit waits for another one to begin. */
export function addTimedToys(registry: Registry, beside: boolean): string[] {
  const events: string[] = [];
  const fits = () => events.filter((event) => /^fit .* begins$/.test(event)).length;
  const during = async (name: string) => {
    events.push(`${name} begins`);
    for (let i = 0; i < 1000 && beside && fits() < 2; i++) await sleep(10);
    await sleep(15);
    events.push(`${name} ends`);
  };
  const metrics = {
    value: { description: 'Value.', direction: 'max' as const, range: [null, null], unit: '', main: true },
  };
  const common = { version: 1, options: {}, axes: {}, seeded: false };
  const row = { axes: {}, metrics: { value: { value: 1, ci95: null, n: 1 } } };
  const clock = defineTask({
    ...{ ...common, id: 'toy-clock', title: 'Clock', exclusive: true, metrics: metrics as never },
    async run({ method, signal }) {
      await during(`clock ${method.id}`);
      signal?.throwIfAborted();
      return { rows: [row] };
    },
  });
  const other = defineTask({
    ...{ ...common, id: 'toy-other', title: 'Other', metrics: metrics as never },
    async run({ method }) {
      await during(`other ${method.id}`);
      return { rows: [row] };
    },
  });
  const methods = ['toy-a', 'toy-b', 'toy-broken'].map((id) =>
    defineBaseline({
      ...{ id, title: id, version: 1, options: {}, needs: 'nothing' as const, seeded: false },
      async fit() {
        await during(`fit ${id}`);
        if (id === 'toy-broken') throw new TypeError('a bug in the method');
        return { tensors: {} };
      },
      restore: (_state, { d_in }) => ({ d_in, sparse: false, dispose() {} }),
    }),
  );
  for (const plugin of [clock, other, ...methods]) registry.add(plugin, import.meta.filename);
  return events;
}
