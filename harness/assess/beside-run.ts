/** @file What a run's folder holds already where the results of a set are to be written: other latents, another set. */
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import type { Result } from '../schema/result.generated.ts';
import { assessmentId } from './metrics.ts';
import { PROTOCOL_IDS } from './protocols.ts';

const ASSESSMENTS = new Set(PROTOCOL_IDS.map(assessmentId));

export interface BesideRun {
  /** Methods whose results in the run are of other fits than those that were rated: of other latents. */
  refitted: string[];
  /** Other sets of the same protocol, at the same site, with the methods of theirs that the new results replace and leave. */
  sets: { set: string; replaced: string[]; left: string[] }[];
}

const setOf = ({ details }: Result): string => String((details as { set?: unknown } | undefined)?.set);

const names = (results: readonly Result[]): string[] => [...new Set(results.map(({ method }) => method.name))].sort();

/** @param found The results in the folder. */
export function besideRun({ set, protocol, methods }: AssessmentKey, found: readonly Result[]): BesideRun {
  const rated = methods.map(({ result }) => result);
  const { subject, site } = rated[0]!;
  const here = found.filter((result) => result.subject.id === subject.id && result.site.name === site.name);
  const id = assessmentId(protocol);
  const ofMethod = (name: string, identity: string) =>
    here.filter(({ method }) => method.name === name && method.identity === identity);
  const refitted = rated.filter(({ method, provenance }) => {
    // Results of assessments are of what was rated, whatever the run holds by now.
    const own = ofMethod(method.name, method.identity).filter(({ task }) => !ASSESSMENTS.has(task.id));
    return own.length > 0 && own.every((each) => each.provenance.steps['fit'] !== provenance.steps['fit']);
  });
  const others = here.filter((each) => each.task.id === id && setOf(each) !== set);
  const sets = [...new Set(others.map(setOf))].sort().map((other) => {
    const own = others.filter((each) => setOf(each) === other);
    const isRated = ({ method, seed }: Result) =>
      rated.some(
        (each) => each.method.name === method.name && each.method.identity === method.identity && each.seed === seed,
      );
    return { set: other, replaced: names(own.filter(isRated)), left: names(own.filter((each) => !isRated(each))) };
  });
  return { refitted: names(refitted), sets };
}
