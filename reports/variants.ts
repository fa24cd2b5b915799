/** @file Which settings of a variant are one curve, and what that curve is called. */
import { inWords } from '../harness/results.ts';
import { groupBy } from './group-by.ts';
import { differing, type Setting } from './settings.ts';

type Constants = Record<string, unknown>;

const optionsOf = ({ options }: Setting['method'], without: readonly (string | undefined)[]) =>
  Object.entries<unknown>({ ...options })
    .filter(([name]) => !without.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * What stays the same along a curve, for each setting of one variant: its options but those that change along it, what
 * the settings were run under where they differ in it, and the training where settings of the very same options do.
 */
function constantsOf(settings: readonly Setting[], along: readonly string[]): Constants[] {
  const runs = differing(settings.map(({ run }) => run));
  const rivals = groupBy(settings, ({ method }) => JSON.stringify(optionsOf(method, [])));
  const trainings = new Set(rivals.flatMap((same) => differing(same.map(({ training }) => training))));
  const told = ({ run, training }: Setting): [string, unknown][] => [
    ...runs.map((name): [string, unknown] => [name, run[name]]),
    ...[...trainings].sort().map((name): [string, unknown] => [name, training[name]]),
  ];
  // Such as the code of a plug-in: in no words but in the name.
  const unsaid = rivals
    .flatMap((same) => groupBy(same, (each) => JSON.stringify(told(each))))
    .some((same) => new Set(same.map(({ method }) => method.name)).size > 1);
  return settings.map((each) => {
    const { method } = each;
    const constants = [...optionsOf(method, [method.sparsity, ...along]), ...told(each)];
    return Object.fromEntries(unsaid ? [...constants, ['name', method.name]] : constants);
  });
}

/** The variant's name, with the constants in which its curves differ. */
function labelOf(id: string, constants: Constants, rivals: readonly Constants[]): string {
  const differ = Object.entries(constants).filter(
    ([name]) => new Set(rivals.map((rival) => JSON.stringify(rival[name]))).size > 1,
  );
  const words = inWords('', Object.fromEntries(differ));
  return [id, ...Object.entries(words).map(([name, word]) => `${name}=${word}`)].join(' ');
}

/**
 * Settings in curves: those of one variant that differ in their sparsity alone.
 *
 * @param along Names of other options that change along a curve.
 */
export function curvesOf<T extends Setting>(
  settings: readonly T[],
  along: readonly string[] = [],
): { label: string; own: T[] }[] {
  return groupBy(settings, ({ method }) => method.id).flatMap((ofVariant) => {
    const constants = constantsOf(ofVariant, along);
    const curves = groupBy([...ofVariant.entries()], ([i]) => JSON.stringify(constants[i]));
    const rivals = curves.map((curve) => constants[curve[0]![0]]!);
    return curves.map((curve, i) => ({
      label: labelOf(ofVariant[0]!.method.id, rivals[i]!, rivals),
      own: curve.map(([, setting]) => setting),
    }));
  });
}
