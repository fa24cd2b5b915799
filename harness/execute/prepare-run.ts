/** @file From settings to a plan that can be executed: plug-ins, backend, resolved suite, plan, provenance. */
import { openStepCode } from '../code/step-code.ts';
import type { BackendChoice, BackendInfo } from '../num/backend.ts';
import { initBackend } from '../num/backend.ts';
import { type Plan, planSuite } from '../plan.ts';
import { type RunProvenance, runProvenance } from '../provenance.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { resolveSuite } from '../suite/resolve.ts';

/** Raised whenever collecting or training gives other numbers: part of the keys of their steps. */
const COLLECT_VERSION = 1;
const TRAINER_VERSION = 3;

export interface PreparedRun {
  plan: Plan;
  backend: BackendInfo;
  provenance: RunProvenance;
}

/** Starts the backend, resolves the suite on it and plans it. Paths in the suite must be absolute. */
export async function prepareRun(
  suite: Suite,
  registry: Registry,
  options: {
    backend: string;
    limited: boolean;
    passed: string[];
    settings: Record<string, unknown>;
    say(line: string): void;
  },
): Promise<PreparedRun> {
  const [backend, code] = await Promise.all([
    initBackend(options.backend as BackendChoice),
    openStepCode(registry, options.say),
  ]);
  const resolved = await resolveSuite(suite, {
    registry,
    code,
    versions: {
      backend: backend.name,
      arithmetic: backend.arithmetic,
      collect: COLLECT_VERSION,
      trainer: TRAINER_VERSION,
    },
    baseDir: '',
    limited: options.limited,
    openImport: async (folder, draw) => (await import('../activations/import.ts')).openImport(folder, draw),
  });
  const { passed, settings } = options;
  const provenance = await runProvenance(backend, { passed, resolved: settings });
  return { plan: planSuite(resolved), backend, provenance };
}
