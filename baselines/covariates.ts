/** @file Covariate-only probe: what source, year or age alone tell of a concept. It sees neither the item nor the subject. */
import { defineBaseline, type Item } from '../harness/contract.ts';
import { denseFeatures, fitLogistic } from '../harness/kit/index.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';

/** A column of the probe's design: a number about its mean, or whether a category is this one. */
type Column = { name: string; mean: number; deviation: number } | { name: string; value: string };

interface StoredConcept {
  id: string;
  intercept: number;
  weights: number[];
}

/** Inverse strength of the L2 penalty on standardised columns: scikit-learn's default. */
const C = 1;

/**
 * Logistic regression on an item's declared covariates: categories as indicators, numbers standardised; a covariate that an item
 * lacks counts as the mean, or as no category. Concepts of datasets without covariates have no detector.
 */
export default defineBaseline<Record<string, never>>({
  id: 'covariates',
  title: 'Covariates alone (group, source, age: neither text nor image)',
  version: 1,
  options: {},
  needs: 'text',
  nullRow: true,
  seeded: false,
  async fit({ labelled: given, signal }) {
    const labelled = requireLabels('covariates', given);
    const { concepts, items, examples } = labelled.set;
    const trained = [...new Set(examples.filter(({ split }) => split === 'train').map(({ item }) => item))];
    const columns = columnsOf(trained.map((place) => items[place]!));
    const stored =
      columns.length === 0
        ? []
        : concepts.map(({ id }, c): StoredConcept => {
            signal?.throwIfAborted();
            const own = trainExamples('covariates', labelled, c);
            const x = Float32Array.from([...own.items].flatMap((place) => rowOf(columns, items[place]!)));
            const { intercept, weights } = fitLogistic(denseFeatures(x, own.items.length, columns.length), own.labels, {
              C,
            });
            return { id, intercept, weights: [...weights] };
          });
    return { tensors: {}, json: { columns, concepts: stored } };
  },
  restore(state, { d_in }) {
    const { columns, concepts } = state.json as { columns: Column[]; concepts: StoredConcept[] };
    return {
      d_in,
      sparse: false,
      detector({ id }) {
        const concept = concepts.find((candidate) => candidate.id === id);
        return (
          concept && {
            scoreItem: (item) =>
              rowOf(columns, item).reduce((sum, value, i) => sum + value * concept.weights[i]!, concept.intercept),
          }
        );
      },
      dispose: () => {},
    };
  },
});

/** Columns of the covariates of some items: a covariate of which all values are numbers is one, any other one a category. */
function columnsOf(items: readonly Item[]): Column[] {
  const names = [...new Set(items.flatMap(({ covariates = {} }) => Object.keys(covariates)))].sort();
  return names.flatMap((name): Column[] => {
    const values = items.flatMap(({ covariates }) => covariates?.[name] ?? []);
    if (values.every((value) => typeof value === 'number')) {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      return deviation === 0 ? [] : [{ name, mean, deviation }];
    }
    const categories = [...new Set(values.map(String))].sort();
    return categories.length < 2 ? [] : categories.map((value) => ({ name, value }));
  });
}

function rowOf(columns: readonly Column[], { covariates = {} }: Item): number[] {
  return columns.map((column) => {
    const own = covariates[column.name];
    if ('value' in column) return Number(own !== undefined && String(own) === column.value);
    return typeof own === 'number' ? (own - column.mean) / column.deviation : 0;
  });
}
