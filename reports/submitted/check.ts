/**
 * @file Whether a submission may stand in the tables of the reference: of the same protocol, whole, from one machine, at the
 * same sizes, under a name of its own. What it cannot tell, that the numbers are true, `saxbench verify` does.
 */
import { UserError } from '../../harness/errors.ts';
import { canonicalJson } from '../../harness/io/json.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { firstDifference } from '../definitions.ts';
import { byTable, groupBy } from '../group-by.ts';
import { standsAt } from '../reference-lines.ts';
import { differing, ofMethod, ofRun } from '../settings.ts';
import type { Board } from './board.ts';
import type { Submission } from './file.ts';
import { placeOf, placesOf, sizeComplaint, strangePlace, tableOf } from './sizes.ts';

type Fail = (message: string) => never;

const texts = (values: Iterable<unknown>): string => [...new Set(values)].join(', ');

/** @throws UserError for a name that a method of the reference has. */
export function checkName(name: string, { reference }: Board): void {
  const taken = reference.find(({ method }) => [method.name, method.id].some((each) => each.toLowerCase() === name));
  if (taken)
    throw new UserError(
      `submission ${name}: name: the reference has a method '${taken.method.name}'; choose another name.`,
    );
}

/** @throws UserError for a checkout with changes: nobody else has that code. */
export function checkCommitted({ git }: Submission['environment'], where: string): void {
  if (!git?.dirty) return;
  throw new UserError(
    `${where}: expected results of committed code; found a checkout of saxbench with changes (after ${git.commit.slice(0, 12)}): ` +
      'commit or stash them, or use an installed saxbench.',
  );
}

/** What is the same for all results of one submission: machine, versions, commit. */
export const environmentOf = ({ provenance }: Result): Submission['environment'] => {
  const { arguments: _arguments, steps: _steps, seconds: _seconds, ...environment } = provenance;
  return environment;
};

function checkResult(result: Result, { name, kind, protocol }: Submission, board: Board, fail: Fail): void {
  const { method } = result;
  if (result.suite.id !== board.suiteId)
    fail(`expected results of the suite ${board.suiteId}; found one of ${result.suite.id}`);
  if (result.limited) fail('expected a whole run; found a result made with --limit');
  if (result.failed !== undefined) fail(`${tableOf(result)} seed ${result.seed} failed: ${result.failed}`);
  if (result.incomplete !== undefined)
    fail(`${tableOf(result)} seed ${result.seed} is incomplete: ${result.incomplete}`);
  if (method.name !== name) fail(`expected results of '${name}' alone; found one of '${method.name}'`);
  const id = kind === 'checkpoint' ? 'checkpoint' : name;
  const methodKind = kind === 'baseline' ? 'baseline' : 'sae';
  if (method.id !== id || method.kind !== methodKind || method.control) {
    fail(
      `expected results of the ${kind} '${id}' as ${methodKind}; found ${method.kind} '${method.id}'${method.control ? ', a control' : ''}`,
    );
  }
  const table = board.reference.find((other) => tableOf(other) === tableOf(result) && other.failed === undefined);
  if (!table) throw fail(`protocol ${protocol} has no table ${tableOf(result)}`);
  const [expected, found] = [ofRun(table), ofRun(result)];
  const [different] = differing([expected, found]);
  if (different !== undefined) {
    const shown = (value = 'none') => (value.length > 60 ? `${value.slice(0, 60)}…` : value);
    fail(
      `${tableOf(result)}: ${different}: expected ${shown(expected[different])}, as protocol ${protocol} has it; found ${shown(found[different])}`,
    );
  }
  const definition = firstDifference(result.task, table.task);
  if (definition !== undefined) fail(`${tableOf(result)}: it defines its numbers otherwise: ${definition}`);
}

/** Every task of a place with every seed, once: what is missing could have been left out for its numbers. */
function checkWhole(submission: Submission, board: Board, fail: Fail): void {
  const { kind, results, seeds } = submission;
  const places = results.map(standsAt);
  const copy = places.findIndex((place, i) => places.indexOf(place) < i);
  if (copy >= 0) fail(`results[${copy}] repeats ${places[copy]}`);
  const used = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b);
  if (used.join() !== [...seeds].sort((a, b) => a - b).join())
    fail(`seeds: expected those of its results, ${used.join(', ')}; found ${seeds.join(', ')}`);
  const known = placesOf(board);
  for (const result of results) {
    const strange = strangePlace(result, board);
    if (strange !== undefined) fail(strange);
  }
  for (const sized of known) {
    const own = results.filter((result) => placeOf(result) === placeOf(sized[0]!));
    if (own.length === 0) {
      const { subject } = sized[0]!;
      const excused = kind === 'checkpoint' || submission.leftOut.some((left) => left.subject === subject.id);
      if (!excused) fail(`lacks ${placeOf(sized[0]!)}, and does not say why`);
      continue;
    }
    for (const group of byTable(sized)) {
      const table = tableOf(group[0]!);
      const all = board.reference.filter((result) => tableOf(result) === table);
      const byMethod = groupBy(all, ({ method }) => method.name).map((own) => new Set(own.map(({ seed }) => seed)));
      const most = byMethod.reduce((a, b) => (b.size > a.size ? b : a));
      // What draws nothing is fitted once: the fewest seeds of the table are those of such a method.
      const least = byMethod.reduce((a, b) => (b.size < a.size ? b : a));
      const found = own.filter((result) => tableOf(result) === table).map(({ seed }) => seed);
      const allowed = kind === 'sae' ? [most] : kind === 'checkpoint' ? [least] : [most, least];
      if (allowed.some((set) => set.size === found.length && found.every((seed) => set.has(seed)))) continue;
      fail(
        `${table}: expected seeds ${allowed.map((set) => [...set].join(', ')).join(', or ')}; found ${found.join(', ') || 'none'}`,
      );
    }
    const more = own.find((result) => !sized.some((other) => tableOf(other) === tableOf(result)));
    if (more) fail(`${tableOf(more)}: ${board.protocol.sizes} has no such table`);
  }
  const fitted = new Set(
    submission.weights.map(({ subject, site, seed }) => `${subject} ${site} ${kind === 'sae' ? seed : ''}`),
  );
  const unhashed = results.find((result) => !fitted.has(`${placeOf(result)} ${kind === 'sae' ? result.seed : ''}`));
  if (unhashed)
    fail(
      `weights: expected the hash of what was fitted at ${placeOf(unhashed)} with seed ${unhashed.seed}; found none`,
    );
}

/**
 * Checks a submission against the protocol and its reference.
 *
 * @throws UserError with the first reason why it may not stand in the tables.
 */
export function checkSubmission(submission: Submission, board: Board): void {
  const { name, protocol, results, environment } = submission;
  const where = `submission ${name}`;
  const fail: Fail = (message) => {
    throw new UserError(`${where}: ${message}. Submit it again: saxbench submit.`);
  };
  if (protocol !== board.protocol.protocol) {
    fail(`of protocol ${protocol}, while the tables are of ${board.protocol.protocol}`);
  }
  checkName(name, board);
  for (const result of results) checkResult(result, submission, board, fail);
  const machines = [environment, ...results.map(environmentOf)].map((each) => canonicalJson(each));
  if (new Set(machines).size > 1) {
    fail(
      `expected results of one machine, version and commit; found several (${texts([environment, ...results.map(environmentOf)].map(({ cpu, saxbench, git }) => `${cpu}, ${saxbench} ${git?.commit.slice(0, 8) ?? ''}`.trim()))}): add --force`,
    );
  }
  checkCommitted(environment, where);
  checkWhole(submission, board, fail);
  const complaint = sizeComplaint(submission, board);
  if (complaint !== undefined) fail(complaint);
  for (const own of groupBy(results, placeOf)) {
    const [other] = differing(own.map(ofMethod));
    if (other !== undefined) fail(`${placeOf(own[0]!)}: expected one method; its results differ in ${other}`);
  }
}
