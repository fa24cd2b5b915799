/** @file The code that steps run, as digests for their keys: built in, and of plug-ins from outside. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Plugin } from '../contract.ts';
import { sha256Json } from '../io/hash.ts';
import type { PluginKind } from '../plugin-check.ts';
import type { Registry } from '../registry.ts';
import { type BuiltInCode, builtInCode, RUNNER_NAMES, type Runner } from './built-in.ts';
import { type Code, type Outside, outsideCode } from './bundle.ts';
import { withFiles } from './plugin-source.ts';

export interface StepCode {
  /** The machine of every kind of step. */
  machine: Record<Runner, string>;
  /** A plug-in with everything that it imports. */
  plugin(kind: PluginKind, id: string): Promise<string>;
}

/** Kinds whose files are in no fingerprint of the plug-in's own. */
const WITHOUT_FINGERPRINT: readonly PluginKind[] = ['sae', 'baseline', 'task', 'judge'];

/**
 * The digests of what a registry holds.
 *
 * @param say Told of a plug-in whose code cannot be seen whole. Its steps are computed in every run: no digest says
 * that they are still what the code gives.
 */
export async function openStepCode(registry: Registry, say: (line: string) => void): Promise<StepCode> {
  const builtIn: BuiltInCode = await builtInCode();
  const outside = new Map<string, Promise<string>>();
  /** Of files, of which each may hold several plug-ins. */
  const bundles = new Map<string, Promise<Code & Outside>>();

  function bundled(file: string): Promise<Code & Outside> {
    if (!bundles.has(file)) bundles.set(file, outsideCode(file));
    return bundles.get(file)!;
  }

  async function digestOutside(kind: PluginKind, id: string, file: string): Promise<string> {
    const { unfollowed, readsFiles, sha256, packages } = await bundled(resolve(file));
    const code = { sha256, packages };
    if (unfollowed.length > 0) {
      say(
        `plug-in ${file}: what it imports cannot be followed (${unfollowed[0]}): its steps are computed in every run. ` +
          'Import with literal paths.',
      );
      return sha256Json([builtIn.withVersions(code), randomUUID()]);
    }
    const { files } = await (registry.get(kind, id) as Promise<Plugin>);
    if (!files && readsFiles && WITHOUT_FINGERPRINT.includes(kind)) {
      say(
        `plug-in ${file}: ${kind} ${id} reads files by itself, and a change in them is not seen: name them in its 'files', or run with --force after one.`,
      );
    }
    return withFiles(builtIn.withVersions(code), file, files);
  }

  return {
    machine: Object.fromEntries(RUNNER_NAMES.map((name) => [name, builtIn.runner(name)])) as StepCode['machine'],
    async plugin(kind, id) {
      const file = registry.fileOf(kind, id);
      if (file === undefined) return builtIn.plugin(kind, id);
      const name = `${kind} ${id}`;
      if (!outside.has(name)) outside.set(name, digestOutside(kind, id, file));
      return outside.get(name)!;
    },
  };
}
