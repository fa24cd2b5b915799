/** @file The two packages that backend `webgpu` is made of: found, and held to the versions that it was written for. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** How tensors are read synchronously leans on what these two do inside, so that no other version is taken. */
export const PACKAGES = { webgpu: '0.6.2', '@tensorflow/tfjs-backend-webgpu': '4.22.0' } as const;

export const INSTALL_LINE = `npm install --no-save ${Object.entries(PACKAGES)
  .map(([name, version]) => `${name}@${version}`)
  .join(' ')}`;

/** Dawn, the WebGPU of Chromium, as npm's `webgpu` gives it. */
export interface Dawn {
  create(flags: string[]): GPU;
  /** Classes and constants that a browser has as globals. */
  globals: Record<string, unknown>;
}

/** By `require`, which also looks where NODE_PATH says. */
const require = createRequire(import.meta.url);

/**
 * @param find The file of that name in an installed package.
 * @throws Error that says which package is missing or of another version.
 */
export function checkPackages(find: (file: string) => string = require.resolve): void {
  for (const [name, expected] of Object.entries(PACKAGES)) {
    let file: string;
    try {
      file = find(`${name}/package.json`);
    } catch {
      throw new Error(`${name} is not installed`);
    }
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    if (version !== expected) throw new Error(`expected ${name} ${expected}, found ${version}`);
  }
}

export async function loadDawn(): Promise<Dawn> {
  return (await import(pathToFileURL(require.resolve('webgpu')).href)) as Dawn;
}

/** tfjs's backend. Loaded while there is no `navigator.gpu`, it registers its kernels and no backend. */
export function loadTfjsBackend<T>(): T {
  return require('@tensorflow/tfjs-backend-webgpu') as T;
}
