/** @file Which methods stand at a site, with the tasks that score them, and why others are left out. */
import { meantFor } from '../suite/meant-for.ts';
import type { ResolvedMethod, ResolvedSubject, ResolvedSuite, ResolvedTask } from '../suite/resolved.ts';

/** What the suite names but the plan leaves out, and why. */
export interface Skipped {
  /** Absent where a method is left out of the whole run. */
  subject?: string;
  method?: string;
  reason: string;
}

/** The suite's methods with all tasks, then the controls with the tasks that ask for them. */
export function methodsWithTasks(
  suite: ResolvedSuite,
  subject: ResolvedSubject,
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
    const scoredBy = method.control ? tasks.filter((task) => task.controls.includes(method.id)) : tasks;
    if (method.control && scoredBy.length === 0) continue;
    const reason = whyNot(method, subject);
    if (reason === undefined) chosen.push({ method, scoredBy });
    else if (!method.control || method.modalities?.includes(modality)) {
      skip({ subject: subject.id, method: method.name, reason });
    }
  }
  return chosen;
}

/** What reads texts scores concepts, as what fits on labels does. */
const LABELLED: readonly ResolvedMethod['needs'][] = ['labels', 'gradients', 'text'];

function whyNot(method: ResolvedMethod, subject: ResolvedSubject): string | undefined {
  const { modality, id, hasConcepts } = subject.dataset;
  if (method.modalities && !method.modalities.includes(modality))
    return `works on ${method.modalities.join(', ')} only`;
  if (LABELLED.includes(method.needs) && !hasConcepts) {
    return `needs labelled concepts, and the dataset ${id} has none`;
  }
  if (method.needs === 'gradients' && subject.folder === undefined)
    return 'needs the subject, not imported activations';
  return undefined;
}
