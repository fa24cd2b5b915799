/** @file Which methods stand at a site, with the tasks that score them, and why others are left out. */
import { meantFor } from '../suite/meant-for.ts';
import {
  generalOf,
  hasNetwork,
  isImported,
  type PlannedSubject,
  type ResolvedMethod,
  type ResolvedSuite,
  type ResolvedTask,
} from '../suite/resolved.ts';

/** What the suite names but the plan leaves out, and why. */
export interface Skipped {
  /** Absent where a method is left out of the whole run. */
  subject?: string;
  method?: string;
  task?: string;
  reason: string;
}

/** The suite's methods with all tasks, then the controls with the tasks that ask for them. */
export function methodsWithTasks(
  suite: ResolvedSuite,
  subject: PlannedSubject,
  site: string,
  tasks: ResolvedTask[],
  skip: (skip: Skipped) => void,
): { method: ResolvedMethod; scoredBy: ResolvedTask[] }[] {
  const { modality } = subject.dataset;
  const chosen: { method: ResolvedMethod; scoredBy: ResolvedTask[] }[] = [];
  for (const method of suite.methods) {
    if (!(method.subjects?.includes(subject.id) ?? true)) continue;
    if (method.site !== undefined && method.site !== site) continue;
    if (!meantFor(method, site)) continue;
    const scoredBy = tasks.filter((task) => scores(task, method));
    if (method.control && scoredBy.length === 0) continue;
    if (scoredBy.length === 0 && tasks.length > 0) {
      skip({ subject: subject.id, method: method.name, reason: 'no task of the run scores it' });
      continue;
    }
    const reason = whyNot(method, subject);
    if (reason === undefined) chosen.push({ method, scoredBy });
    else if (!method.control || method.modalities?.includes(modality)) {
      skip({ subject: subject.id, method: method.name, reason });
    }
  }
  return chosen;
}

/** A control is scored where it is asked for, another method where it is named or none is. */
function scores({ controls, methods }: ResolvedTask, { id, name, control }: ResolvedMethod): boolean {
  if (controls.includes(id)) return true;
  return !control && (methods === undefined || methods.includes(name) || methods.includes(id));
}

/** Whether a method reads the labelled items: to fit on them, or to score concepts by their texts. */
export const readsLabels = ({ needs }: Pick<ResolvedMethod, 'needs'>): boolean =>
  needs === 'labels' || needs === 'text' || readsSubject({ needs });

/** Whether a method works through the subject itself, not only on its activations. */
export const readsSubject = ({ needs }: Pick<ResolvedMethod, 'needs'>): boolean =>
  needs === 'subject' || needs === 'gradients';

function whyNot(method: ResolvedMethod, subject: PlannedSubject): string | undefined {
  const { modality, id, hasConcepts } = subject.dataset;
  if (method.general && generalOf(subject) === undefined) {
    const { general } = subject;
    return general && 'reason' in general
      ? `needs general data to be trained on: ${general.reason}`
      : "needs general data to be trained on, and the suite names none as the subject's 'general'";
  }
  if (method.modalities && !method.modalities.includes(modality))
    return `works on ${method.modalities.join(', ')} only`;
  if (readsLabels(method) && !hasConcepts) {
    return `needs labelled concepts, and the dataset ${id} has none`;
  }
  const given = isImported(subject) ? 'imported activations' : `activations that the dataset ${id} makes`;
  if (method.target !== undefined && !hasNetwork(subject)) {
    return `needs a second site to reconstruct, '${method.target}': activations that were made elsewhere are of one site`;
  }
  if (method.needs === 'text' && !hasNetwork(subject)) return `needs texts, not ${given}`;
  if (readsSubject(method) && !hasNetwork(subject)) return `needs the subject, not ${given}`;
  return undefined;
}
