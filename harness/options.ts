/** @file Options of a plug-in: checked against its schema fragment, defaults filled in. */
import type { ValidateFunction } from 'ajv';
import type { OptionsSchema } from './contract.ts';
import { UserError } from './errors.ts';
import { sha256 } from './io/hash.ts';
import { explain } from './schema/explain.ts';
import { sharedAjv } from './schema/validate.ts';

/** ajv knows it by what the schema says: it is often put together anew, and ajv keeps all that it ever compiled. */
async function compile(schema: OptionsSchema, where: string): Promise<ValidateFunction> {
  const ajv = await sharedAjv();
  const $id = `options:${sha256(JSON.stringify(schema))}`;
  try {
    const known = ajv.getSchema($id) as ValidateFunction | undefined;
    return known ?? ajv.compile({ $id, type: 'object', additionalProperties: false, properties: schema });
  } catch (error) {
    ajv.removeSchema($id);
    throw new UserError(`${where}: the plug-in's own schema of options is not valid: ${(error as Error).message}.`);
  }
}

/**
 * The options with every default, as a new object.
 *
 * @param where Starts the message, e.g. `suite default: method topk`.
 * @throws UserError for an unknown option (with a suggestion) or a value outside the schema.
 */
export async function resolveOptions(
  schema: OptionsSchema,
  given: Record<string, unknown> | undefined,
  where: string,
): Promise<Record<string, unknown>> {
  const options = structuredClone(given ?? {});
  const validate = await compile(schema, where);
  if (!validate(options)) throw new UserError(`${where}: ${explain(validate.errors!, options, 'its list of options')}`);
  return options;
}

/** Names that variants give to the number of active latents that they aim for. */
export const SPARSITY_OPTIONS = ['k', 'targetL0'] as const;

/** What every SAE has beside its own hyper-parameters: its width, absolute or as a multiple of d_in. */
export const SIZE_OPTIONS: OptionsSchema = {
  d_sae: { type: 'integer', minimum: 1, maximum: 16777216, description: 'Number of latents; wins over expansion.' },
  expansion: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 4096,
    default: 8,
    description: 'Latents as a multiple of d_in, rounded, where d_sae is not given.',
  },
};

/** What SAEs that reconstruct another site have beside that. */
export const TARGET_OPTION: OptionsSchema = {
  target: {
    type: 'string',
    pattern: '^[A-Za-z0-9_.+-]+$',
    description: 'The site that is reconstructed, of the same subject and of the same positions. Must be given.',
  },
};

/** The width of an SAE: `d_sae`, or `expansion` × d_in rounded. */
export function widthOf(options: Record<string, unknown>, d_in: number): number {
  return (options['d_sae'] as number | undefined) ?? Math.max(1, Math.round((options['expansion'] as number) * d_in));
}

/**
 * A variant's own hyper-parameters, without the sizes that every SAE has.
 *
 * @param target Where the variant reconstructs another site, its name: it is no hyper-parameter either.
 */
export function hyperparametersOf(options: Record<string, unknown>, target?: string): Record<string, unknown> {
  const { d_sae: _width, expansion: _factor, ...hp } = options;
  if (target === undefined) return hp;
  const { target: _site, ...own } = hp;
  return own;
}
