/** @file Where `doctor --install tensorflow` puts an installation, and where the backend looks for it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../io/hub-cache.ts';
import { ownCache } from '../io/own-cache.ts';

/** With CUDA, or for CPUs alone; in the order of choice where both are installed. */
export const FLAVOURS = ['cuda', 'cpu'] as const;

export type Flavour = (typeof FLAVOURS)[number];

/** Installations of a version of TensorFlow.js lie together; npm never touches them. */
export const installationsIn = (env: Environment): string => join(ownCache(env), 'tensorflow');

/** @param tfjs The version of TensorFlow.js, which its binding must have too. */
export const placeOf = (flavour: Flavour, tfjs: string, env: Environment): string =>
  join(installationsIn(env), `tfjs-${tfjs}-${flavour}`);

/** Folders of what is installed, best first; `SAXBENCH_TENSORFLOW` names another one, alone. */
export function installedAt(tfjs: string, env: Environment): string[] {
  const named = env['SAXBENCH_TENSORFLOW'];
  return named
    ? [named]
    : FLAVOURS.map((flavour) => placeOf(flavour, tfjs, env)).filter((folder) => existsSync(folder));
}
