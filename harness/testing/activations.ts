/** @file Activations in memory, for the tests of plug-ins. */
import type {
  ActivationBatch,
  ActivationSet,
  ConceptExample,
  ConceptSet,
  LabelledActivations,
  ShuffledBatch,
} from '../contract.ts';
import { createRng } from '../num/rng.ts';

/** Rows of each item; `special` lists positions that do not count (in every item that is that long). */
export function memoryActivations(
  items: readonly (readonly (readonly number[])[])[],
  options: { special?: number[]; tokenIds?: number[][]; d_in?: number } = {},
): ActivationSet {
  const rows = items.flat();
  const n = rows.length;
  const d_in = options.d_in ?? rows[0]?.length ?? 0;
  const bounds = new Uint32Array(items.length + 1);
  const positions = new Uint32Array(n);
  const keep = new Uint8Array(n).fill(1);
  items.forEach((item, i) => {
    bounds[i + 1] = bounds[i]! + item.length;
    item.forEach((_, p) => {
      positions[bounds[i]! + p] = p;
      if (options.special?.includes(p)) keep[bounds[i]! + p] = 0;
    });
  });
  const data = Float32Array.from(rows.flat());
  const read = async (start: number, end: number) => data.slice(start * d_in, end * d_in);

  async function* scan(size: number): AsyncGenerator<ActivationBatch> {
    for (let first = 0; first < items.length; ) {
      let last = first + 1;
      while (last < items.length && bounds[last + 1]! - bounds[first]! <= size) last++;
      const firstRow = bounds[first]!;
      const end = bounds[last]!;
      yield { firstItem: first, items: last - first, firstRow, rows: end - firstRow, x: await read(firstRow, end) };
      first = last;
    }
  }

  async function* shuffled(size: number, seed: number): AsyncGenerator<ShuffledBatch> {
    const kept = Uint32Array.from({ length: n }, (_, i) => i).filter((row) => keep[row] === 1);
    const rng = createRng(seed);
    let queue: number[] = [];
    for (;;) {
      while (queue.length < size) queue = queue.concat([...rng.shuffle(kept.slice())]);
      const taken = Uint32Array.from(queue.splice(0, size));
      const x = new Float32Array(size * d_in);
      taken.forEach((row, i) => {
        x.set(data.subarray(row * d_in, (row + 1) * d_in), i * d_in);
      });
      yield { rows: taken, x };
    }
  }

  return {
    d_in,
    n,
    bounds,
    tokenIds: options.tokenIds ? Int32Array.from(options.tokenIds.flat()) : new Int32Array(n).fill(-1),
    positions,
    keep,
    policy: 'test',
    key: 'memory',
    read,
    scan,
    shuffled,
  };
}

/** Labelled activations from a concept set and the activations of its items. */
export function memoryLabelled(set: ConceptSet, activations: ActivationSet): LabelledActivations {
  return {
    set,
    activations,
    examples(concept, split, options = {}) {
      const chosen = set.examples.filter(
        (example: ConceptExample) =>
          example.concept === concept &&
          example.split === split &&
          (example.role !== 'hard-negative' || options.hardNegatives === true),
      );
      return {
        items: Uint32Array.from(chosen, (example) => example.item),
        labels: Uint8Array.from(chosen, (example) => (example.role === 'positive' ? 1 : 0)),
      };
    },
  };
}
