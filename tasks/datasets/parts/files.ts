/** @file Files that a person names in a dataset's options. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type OptionsSchema, UserError } from '../../../harness/contract.ts';

/** Schema of an option that names a file or folder. */
export const pathOption = (description: string): OptionsSchema[string] => ({
  type: 'string',
  minLength: 1,
  description: `${description} Relative to the suite's file, or else to the current folder.`,
});

/** Where an option points. @throws UserError when it is not given, or nothing is there. */
export function requiredPath(dataset: string, option: string, value: string | undefined, baseDir: string): string {
  if (value === undefined) {
    throw new UserError(
      `dataset ${dataset}: expected the option '${option}', found none; say in the suite where it lies.`,
    );
  }
  const path = resolve(baseDir, value);
  if (!existsSync(path)) {
    throw new UserError(
      `dataset ${dataset}: ${option}: there is no ${path}; put the data there, or change the suite's '${option}'.`,
    );
  }
  return path;
}
