/** @file Tells a fault in somebody's plug-in from one of ours, by the place in the code where it was thrown. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContractError, UserError } from './errors.ts';
import { packageRoot } from './paths.ts';

/** Folders of the package's own code, sources and compiled. */
const OWN = ['harness', 'models', 'baselines', 'tasks', 'reports', 'dist'].map(
  (folder) => join(packageRoot, folder) + sep,
);

/** The end of a line of a stack: a file, with the query that plug-ins are loaded with, and the line in it. */
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:\\).*?)(?:\?[^:]*)?:(\d+):\d+\)?$/;

/** File and line of one line of a stack. */
function placeOf(frame: string): { file: string; line: string } | undefined {
  const [, found, line] = FRAME.exec(frame) ?? [];
  if (found === undefined) return undefined;
  return { file: found.startsWith('file:') ? fileURLToPath(found) : found, line: `:${line}` };
}

/** The innermost place in code that is neither the package's nor a dependency's. */
function placeOutside(stack: string): string | undefined {
  for (const frame of stack.split('\n')) {
    const { file, line } = placeOf(frame) ?? {};
    // Source maps of dependencies name files that are nowhere.
    if (file === undefined || !existsSync(file)) continue;
    const foreign = /[\\/]node_modules[\\/]/.test(file) || OWN.some((folder) => file.startsWith(folder));
    if (!foreign) return `${file}${line}`;
  }
  return undefined;
}

/** Whether code from outside of the package took part in what was thrown: nobody knows what its words quote. */
export const isFromOutside = (error: unknown): boolean =>
  !(error instanceof Error) || placeOutside(error.stack ?? '') !== undefined;

/**
 * The fault as its author's to mend, where the code of a plug-in from outside threw it or broke the contract;
 * undefined for everything else.
 *
 * @param files Files of the plug-ins from outside that took part, for what they returned rather than threw.
 */
export function pluginFault(error: unknown, files: { task?: string } = {}): UserError | undefined {
  if (error instanceof UserError || !(error instanceof Error) || error.name === 'AbortError') return undefined;
  const place = error instanceof ContractError ? (error.file ?? files.task) : placeOutside(error.stack ?? '');
  if (place === undefined) return undefined;
  const what = error instanceof ContractError ? error.message : `${error.name}: ${error.message}`;
  const line = what.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return new UserError(`plug-in ${place}: ${line}. Mend it there; the same command goes on from here.`, {
    cause: error,
  });
}
