/** @file Options of `train.ts`, checked: what it writes is committed, and a slip of the keyboard would be trained for an hour. */
import { parseArgs } from 'node:util';
import { UserError } from '../../../../harness/errors.ts';

export interface TrainOptions {
  /** The folder in models/pretrained/ that is written. */
  id: string;
  hidden: number;
  layers: number;
  steps: number;
  /** Documents of a batch. */
  documents: number;
  dtype: 'F16' | 'F32';
}

const COUNTS = { hidden: 128, layers: 6, steps: 3000, documents: 64 };
const DTYPES = ['F16', 'F32'] as const;

/** @throws UserError for an option out of range, and for a model of another size that would take the place of tiny-lm-planted. */
export function trainOptions(args: string[]): TrainOptions {
  const given = parseArgs({
    args,
    options: {
      id: { type: 'string' },
      hidden: { type: 'string' },
      layers: { type: 'string' },
      steps: { type: 'string' },
      documents: { type: 'string' },
      dtype: { type: 'string', default: 'F32' },
    },
  }).values;
  const refuse = (name: string, expected: string, found: string): never => {
    throw new UserError(`train: --${name}: expected ${expected}; found ${found}.`);
  };
  const count = (name: keyof typeof COUNTS): number => {
    const value = Number(given[name] ?? COUNTS[name]);
    return Number.isInteger(value) && value >= 1 ? value : refuse(name, 'a whole number from 1', `'${given[name]}'`);
  };
  const dtype = DTYPES.find((name) => name === given.dtype) ?? refuse('dtype', DTYPES.join(' or '), `'${given.dtype}'`);
  const size = (['hidden', 'layers'] as const).find((name) => given[name] !== undefined);
  if (given.id === undefined && size) refuse('id', `the name of the new model, beside --${size}`, 'none');
  const id = given.id ?? 'tiny-lm-planted';
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id)) refuse('id', "the name of a folder such as 'tiny-lm-d32'", `'${id}'`);
  return {
    ...{ id, dtype },
    ...{ hidden: count('hidden'), layers: count('layers'), steps: count('steps'), documents: count('documents') },
  };
}
