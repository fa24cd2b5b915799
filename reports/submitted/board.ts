/**
 * @file What submissions are held against: a protocol with a version, and the reference results that were made under it.
 * The rules, and what raises the version, are written down in CONTRIBUTING.md ("The protocol").
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../harness/errors.ts';
import { sha256Json } from '../../harness/io/hash.ts';
import { readError, readJson } from '../../harness/io/json.ts';
import { packageRoot } from '../../harness/paths.ts';
import type { Protocol } from '../../harness/schema/protocol.generated.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { validate } from '../../harness/schema/validate.ts';
import { DEFINITION_FIELDS } from '../definitions.ts';
import { byTable } from '../group-by.ts';
import { referenceResults } from '../reference-lines.ts';
import { ofRun } from '../settings.ts';

/** The folder of saxbench's own protocol and reference results. */
export const OWN_BOARD = join(packageRoot, 'reports', 'results');
export const PROTOCOL_FILE = 'protocol.json';

export interface Board {
  protocol: Protocol;
  /** What `run` calls the suite: its id, or the path of its file. */
  suite: string;
  suiteId: string;
  reference: readonly Result[];
}

/** @throws UserError when there is none in the folder, or it is not one. */
export async function readProtocol(folder: string): Promise<Protocol> {
  const file = join(folder, PROTOCOL_FILE);
  return validate('protocol', await readJson(file, 'protocol'), `protocol ${file}`);
}

/** The id of a protocol's suite: a file's without its ending. */
export const suiteIdOf = ({ suite }: Protocol): string => basename(suite, '.json');

/** The width, sparsity and training budget that submitted SAEs share with the variant that sizes them. */
export function sizesIn({ method, training }: Result) {
  const options: Record<string, unknown> = method.options;
  const trained: Record<string, unknown> = training?.options ?? {};
  const sparsity = method.sparsity === undefined ? undefined : options[method.sparsity];
  return { d_sae: method.d_sae, sparsity, tokens: trained['tokens'] };
}

/**
 * Digest of all that reference results were made under and that submissions share with them: data, tasks with versions and
 * definitions, backend, seeds, sizes. What a method does, and code whose version stayed, is no part of it.
 */
export function protocolDigest(reference: readonly Result[], sizes: string): string {
  const tables = byTable(reference).map((group) => {
    const [first] = group;
    const { subject, site, task } = first!;
    const metrics = Object.fromEntries(
      Object.entries(task.metrics).map(([name, definition]) => [
        name,
        Object.fromEntries(DEFINITION_FIELDS.map((field) => [field, definition[field]])),
      ]),
    );
    const sized = group.filter(({ method }) => method.id === sizes).map((result) => JSON.stringify(sizesIn(result)));
    return {
      ...{ subject: subject.id, site, task: task.id, metrics, conditions: ofRun(first!) },
      seeds: [...new Set(group.map(({ seed }) => seed))].sort((a, b) => a - b),
      sizes: [...new Set(sized)].sort(),
    };
  });
  return sha256Json(tables.map((table) => JSON.stringify(table)).sort());
}

/**
 * The protocol with the digest of new reference results.
 *
 * @throws UserError where they were made under other conditions than its version says.
 */
export function protocolOf(protocol: Protocol, reference: readonly Result[]): Protocol & { digest: string } {
  if (!reference.some(({ method }) => method.id === protocol.sizes)) {
    throw new UserError(`protocol ${protocol.protocol}: expected reference results of ${protocol.sizes}; found none.`);
  }
  const digest = protocolDigest(reference, protocol.sizes);
  if (protocol.digest !== null && protocol.digest !== digest) {
    throw new UserError(
      `protocol ${protocol.protocol}: the reference results were made under other conditions (data, tasks, backend, seeds or ` +
        `sizes) than those of this version: raise it in ${PROTOCOL_FILE} and set its "digest" to null, then run the reference again (CONTRIBUTING.md, "The protocol").`,
    );
  }
  return { ...protocol, digest };
}

/** @throws UserError for a version whose reference was not run yet. */
export function requireRun({ protocol, digest, suite }: Protocol): void {
  if (digest !== null) return;
  throw new UserError(
    `protocol ${protocol}: its reference was not run yet ("digest" is null in ${PROTOCOL_FILE}): run ${suite} --update-leaderboard.`,
  );
}

/**
 * Opens a protocol with its reference results.
 *
 * @throws UserError when files are missing or wrong, and where the results are not those of the protocol's version.
 */
export async function openBoard(folder: string = OWN_BOARD): Promise<Board> {
  const protocol = await readProtocol(folder);
  const suiteId = suiteIdOf(protocol);
  const file = join(folder, `${suiteId}.jsonl`);
  const lines = await readFile(file, 'utf8').catch((error: unknown) => {
    throw readError('protocol', file, error);
  });
  const reference = await referenceResults(suiteId, lines, file);
  requireRun(protocol);
  const suite = protocol.suite.endsWith('.json') ? join(folder, protocol.suite) : protocol.suite;
  return { protocol: protocolOf(protocol, reference), suite, suiteId, reference };
}
