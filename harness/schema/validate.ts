/** @file One compiled validator for each schema file, made on first use: `--help` and `ls` never load ajv. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { UserError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import type { ImportManifest } from './activations.generated.ts';
import type { AssessmentItem } from './assessment-item.generated.ts';
import type { AssessmentKey } from './assessment-key.generated.ts';
import type { AssessmentSet } from './assessment-set.generated.ts';
import type { ResultDisplay } from './display.generated.ts';
import { explain } from './explain.ts';
import type { KnownSubjects } from './known-subjects.generated.ts';
import type { Protocol } from './protocol.generated.ts';
import type { Result } from './result.generated.ts';
import type { SaeConfig } from './sae-config.generated.ts';
import type { Submission } from './submission.generated.ts';
import type { Suite } from './suite.generated.ts';
import type { Verification } from './verification.generated.ts';

/** The type that each schema describes. */
export interface Documents {
  suite: Suite;
  result: Result;
  'sae-config': SaeConfig;
  activations: ImportManifest;
  display: ResultDisplay;
  'known-subjects': KnownSubjects;
  'assessment-set': AssessmentSet;
  'assessment-item': AssessmentItem;
  'assessment-key': AssessmentKey;
  protocol: Protocol;
  submission: Submission;
  verification: Verification;
}

async function createAjv() {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, verbose: true, strict: true, allowUnionTypes: true });
  return ajv.addKeyword('tsType');
}

let shared: ReturnType<typeof createAjv> | undefined;

/**
 * ajv as everything here uses it: defaults filled in, unknown keywords refused but `tsType`, a hint for generate.ts. One
 * for all, since each compiles the schema of schemas anew.
 */
export function sharedAjv(): ReturnType<typeof createAjv> {
  shared ??= createAjv();
  return shared;
}

/** What every schema's `$id` begins with. */
const SITE = 'https://saxbench.dev/schema/';

const schemaOf = (name: string) =>
  JSON.parse(readFileSync(join(packageRoot, 'harness/schema', `${name}.schema.json`), 'utf8')) as object;

/** Schemas that others refer to: added before these, and once. */
const PARTS = ['display', 'judging', 'latents', 'metric-definition', 'result'];

async function validatorOf(name: keyof Documents): Promise<ValidateFunction> {
  const ajv = await sharedAjv();
  for (const part of PARTS) if (!ajv.schemas[`${SITE}${part}.json`]) ajv.addSchema(schemaOf(part));
  const known = ajv.getSchema(`${SITE}${name}.json`) as ValidateFunction | undefined;
  return known ?? ajv.compile(schemaOf(name));
}

/** Values of a document. ajv makes an error of each that is wrong and compares the entries of some lists in pairs. */
const MAX_VALUES = 30_000;
/** A result holds curves and measurements too; a submission and the key of an assessment hold results. */
const MAX_VALUES_OF_RESULTS = 1_000_000;
const HOLD_RESULTS: readonly (keyof Documents)[] = ['result', 'submission', 'assessment-key'];

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) count += countValues(item);
  return count;
}

function refuseLong(value: unknown, most: number, where: string): void {
  const count = countValues(value);
  if (count > most) throw new UserError(`${where}: expected a document of at most ${most} values, found ${count}.`);
}

/**
 * Checks a value against a schema and fills in its defaults, in place.
 *
 * @param where Starts the message, e.g. `suite default`.
 * @throws UserError naming the path in the file, expected, found and the mend.
 */
export async function validate<K extends keyof Documents>(
  schema: K,
  value: unknown,
  where: string,
): Promise<Documents[K]> {
  refuseLong(value, HOLD_RESULTS.includes(schema) ? MAX_VALUES_OF_RESULTS : MAX_VALUES, where);
  const check = await validatorOf(schema);
  if (!check(value)) throw new UserError(`${where}: ${explain(check.errors!, value)}`);
  return value as Documents[K];
}
