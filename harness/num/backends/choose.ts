/** @file Which backend is taken: by name, or the first that starts and serves best on this machine. */
import { BACKEND_NAMES, type BackendChoice, type BackendName, ON_REQUEST } from './names.ts';
import type { RunningBackend } from './record.ts';

/** A backend that was not taken. */
export interface Rejected {
  name: BackendName;
  reason: string;
  /** What a user can do about it. */
  mend: string;
}

/** A backend that started, or why it did not. */
export type Attempt = RunningBackend | Omit<Rejected, 'name'>;

/** A backend to try; `leading`: as the first, on the device for which it comes first. */
export interface Candidate {
  name: BackendName;
  leading: boolean;
}

/** Backends to try, in order: by name that one; else those first whose device may be here, and again in their place among all. */
export function candidates(choice: BackendChoice, mayLead: (name: BackendName) => boolean): Candidate[] {
  const names = BACKEND_NAMES.filter((name) => (choice === 'auto' ? !ON_REQUEST.includes(name) : name === choice));
  const leaders = choice === 'auto' ? names.filter(mayLead) : [];
  return [...leaders.map((name) => ({ name, leading: true })), ...names.map((name) => ({ name, leading: false }))];
}

/** The first that starts, of those that lead on their device alone, with all before it and why they were not taken. */
export async function choose(
  wanted: readonly Candidate[],
  attempt: (name: BackendName) => Promise<Attempt>,
): Promise<{ chosen?: { name: BackendName; running: RunningBackend }; rejected: Rejected[] }> {
  const rejected = new Map<BackendName, Rejected>();
  for (const { name, leading } of wanted) {
    const outcome = await attempt(name);
    if ('reason' in outcome) {
      rejected.set(name, { name, ...outcome });
    } else if (leading && !outcome.leads) {
      const reason = `computes on ${outcome.says.device}, where native is faster`;
      rejected.set(name, { name, reason, mend: `--backend ${name} takes it all the same` });
    } else {
      rejected.delete(name);
      return { chosen: { name, running: outcome }, rejected: [...rejected.values()] };
    }
  }
  return { rejected: [...rejected.values()] };
}
