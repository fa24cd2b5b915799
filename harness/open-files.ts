/** @file Loading the program itself where few files may be open: Node opens all imports of a module at once. */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';

/** The widest module has some ninety imports; Node itself holds some twenty files open, and so does each thread. */
const ENOUGH = 256;

/** Runs in Node's loader thread, one call after the other. */
const HOOK = `
import { readFileSync } from 'node:fs';
export async function load(url, context, next) {
  if (context.format !== 'module' || !/^file:.*\\.m?js$/.test(url)) return next(url, context);
  return { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true };
}`;

/** The limit of this process, already raised by Node as far as it may; infinity where the system does not say. */
function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Whether so few files may be open that threads beside the first have no place. */
export const fewOpenFiles = (): boolean => openFilesLimit() < ENOUGH;

/** Under a low limit (`ulimit -n 64`), modules that this thread imports from now on are read one by one. */
export function boundOpenFiles(): void {
  if (fewOpenFiles()) register(`data:text/javascript,${encodeURIComponent(HOOK)}`);
}
