/** @file What a run works with, and how it comes from settings: plug-ins, backend, resolved suite, plan, provenance. */
import { openStepCode } from '../code/step-code.ts';
import type { ChatModel } from '../contract/chat.ts';
import type { UserError } from '../errors.ts';
import type { BackendChoice, BackendInfo } from '../num/backend.ts';
import { initBackend, passedOver } from '../num/backend.ts';
import type { Precision } from '../num/precision.ts';
import { type Plan, planSuite } from '../plan.ts';
import type { Progress } from '../progress.ts';
import { type RunProvenance, runProvenance } from '../provenance.ts';
import type { Registry } from '../registry.ts';
import { backendInWords } from '../results.ts';
import type { Suite } from '../schema/suite.generated.ts';
import type { Store } from '../store.ts';
import { resolveSuite } from '../suite/resolve.ts';
import type { PlannedSubject, SubjectPlace } from '../suite/resolved.ts';

/** Raised whenever collecting or training gives other numbers: part of the keys of their steps. */
const COLLECT_VERSION = 1;
const TRAINER_VERSION = 3;

/** Where the subjects and embedders of a plan lie on this machine, by {@link nameOf}. */
export type SubjectPlaces = Readonly<Record<string, SubjectPlace>>;

/** What the steps of a plan are run with, on this machine and in this thread. */
export interface Run {
  registry: Registry;
  store: Store;
  places: SubjectPlaces;
  /** Folder that results go to; none where nothing is scored. */
  out?: string;
  /** The model that judges ask, where a suite has one that does. */
  chat?: RunChat;
  provenance: RunProvenance;
  signal: AbortSignal;
  progress: Progress;
  /** A line for a person, which stays. */
  say(line: string): void;
}

/** A chat model that says when no further question has a chance. */
export interface RunChat extends ChatModel {
  failure(): UserError | undefined;
  /**
   * Finds out, free of charge, whether questions to these models have a chance, as far as that can be told.
   *
   * @throws UserError where they have none.
   */
  greet?(models: readonly string[]): Promise<void>;
}

/** A subject as places are named after it. */
const nameOf = ({ id, fingerprint }: Pick<PlannedSubject, 'id' | 'fingerprint'>) => `${id}@${fingerprint}`;

/** Where a subject or an embedder of a plan lies. */
export function placeOf(places: SubjectPlaces, subject: Pick<PlannedSubject, 'id' | 'fingerprint'>): SubjectPlace {
  const place = places[nameOf(subject)];
  if (!place) throw new Error(`internal: no place of the subject ${nameOf(subject)}`);
  return place;
}

export interface PreparedRun {
  plan: Plan;
  places: SubjectPlaces;
  backend: BackendInfo;
  provenance: RunProvenance;
}

/** Starts the backend, resolves the suite on it and plans it. Paths in the suite must be absolute. */
export async function prepareRun(
  suite: Suite,
  registry: Registry,
  options: {
    backend: string;
    precision?: Precision;
    limited: boolean;
    passed: string[];
    settings: Record<string, unknown>;
    /** URL of the endpoint that judges ask. */
    endpoint?: string;
    say(line: string): void;
  },
): Promise<PreparedRun> {
  const [backend, code] = await Promise.all([
    initBackend(options.backend as BackendChoice, options.precision),
    openStepCode(registry, options.say),
  ]);
  for (const line of passedOver(backend)) options.say(line);
  const resolved = await resolveSuite(suite, {
    registry,
    code,
    versions: {
      backend: backendInWords(backend),
      arithmetic: backend.arithmetic,
      collect: COLLECT_VERSION,
      trainer: TRAINER_VERSION,
    },
    baseDir: '',
    limited: options.limited,
    chat: options.endpoint === undefined ? {} : { endpoint: options.endpoint },
    openImport: async (folder, draw) => (await import('../activations/import.ts')).openImport(folder, draw),
  });
  const { passed, settings } = options;
  const provenance = await runProvenance(backend, { passed, resolved: settings });
  const embedders = resolved.tasks.flatMap(({ embedder }) => (embedder?.place ? [embedder] : []));
  const placed = [...resolved.subjects, ...embedders].map((subject) => [nameOf(subject), subject.place!] as const);
  const places = Object.fromEntries(placed);
  return { plan: planSuite(resolved), places, backend, provenance };
}
