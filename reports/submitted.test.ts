/** @file What may stand in the tables of the reference, field by field; what verifying finds; how the leaderboard takes a submission in. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../harness/io/hash.ts';
import { sealed } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { refusal } from '../harness/testing/failing.ts';
import { buildTables } from './aggregate.ts';
import { citationOf } from './citation.ts';
import { renderLeaderboard } from './leaderboard.ts';
import { type Board, openBoard, protocolDigest, protocolOf } from './submitted/board.ts';
import { checkSubmission, environmentOf } from './submitted/check.ts';
import {
  clearPlace,
  readSubmission,
  type Submission,
  sealedSubmission,
  verificationFile,
  writeSubmission,
} from './submitted/file.ts';
import { listedView } from './submitted/listed.ts';
import { submittedTo } from './submitted/merge.ts';
import { compareAgain, writeVerification } from './submitted/verification.ts';
import { partOfBoard } from './testing/board.ts';

const test = suite('submissions');

const folder = mkdtempSync(join(tmpdir(), 'saxbench-submitted-'));
const places = mkdtempSync(join(tmpdir(), 'saxbench-board-'));
test.after(() => {
  rmSync(folder, { recursive: true });
  rmSync(places, { recursive: true });
});
const board: Board = await openBoard(await partOfBoard(places, ['topk', 'gated', 'batchtopk', 'pca', 'random']));

/** The reference's own topk under another name: what a submission of it would be. */
const results = board.reference
  .filter(({ method }) => method.id === 'topk')
  .map((result) => sealed({ ...result, method: { ...result.method, id: 'mine', name: 'mine' } }));
const weights = results
  .filter(({ task }) => task.id === 'reconstruction')
  .map(({ subject, site, seed }) => ({ subject: subject.id, site: site.name, seed, sha256: 'a'.repeat(64) }));
const code = join(folder, 'mine', 'mine.ts');
mkdirSync(join(folder, 'mine'));
writeFileSync(code, 'code');
const submission: Submission = sealedSubmission({
  ...{
    schema: 1,
    protocol: board.protocol.protocol,
    name: 'mine',
    kind: 'sae',
    licence: 'MIT',
    citation: 'Doe | 2027',
  },
  ...{ tuning: 'nothing', source: { files: [{ path: 'mine.ts', bytes: 4, sha256: sha256('code') }] }, weights },
  ...{ seeds: [0, 1, 2], environment: environmentOf(results[0]!), checks: ['contract'], leftOut: [], results },
});

const told = (changed: Submission): Promise<string> => refusal(() => checkSubmission(changed, board));
const withResults = (change: (result: Result, i: number) => Result | undefined): Submission => ({
  ...submission,
  results: submission.results.flatMap((result, i) => change(result, i) ?? []),
});
const first = (change: (result: Result) => Result | undefined) =>
  withResults((each, i) => (i === 0 ? change(each) : each));
const isAt = ({ task, site }: Result, id: string, place = 'vision.embed') => task.id === id && site.name === place;

test('a whole submission of the protocol may stand there', () => {
  checkSubmission(submission, board);
  // 13 places of tasks at sites, three seeds each.
  assert.is(submission.results.length, 39);
});

test('what may not, field by field', async () => {
  const { environment } = submission;
  const wrong: [changed: Submission, told: RegExp][] = [
    [{ ...submission, protocol: '2026.9' }, /of protocol 2026\.9, while the tables are of 2027\.1/],
    [{ ...submission, name: 'topk' }, /name: the reference has a method 'topk'/],
    [first((r) => ({ ...r, suite: { ...r.suite, id: 'default' } })), /suite variants; found one of default/],
    [first((r) => ({ ...r, limited: true })), /whole run; found a result made with --limit/],
    [first((r) => ({ ...r, failed: 'NaN' })), /failed: NaN/],
    [first((r) => ({ ...r, incomplete: 'no key' })), /is incomplete: no key/],
    [first((r) => ({ ...r, method: { ...r.method, name: 'other' } })), /results of 'mine' alone; found one of 'other'/],
    [first((r) => ({ ...r, method: { ...r.method, id: 'topk' } })), /found sae 'topk'/],
    [first((r) => ({ ...r, method: { ...r.method, control: true } })), /a control/],
    [{ ...submission, kind: 'baseline' }, /of the baseline 'mine' as baseline; found sae/],
    [first((r) => ({ ...r, subject: { ...r.subject, id: 'other' } })), /has no table other /],
    [
      first((r) => ({ ...r, subject: { ...r.subject, fingerprint: 'c'.repeat(64) } })),
      /subject: expected .*; found ccc/,
    ],
    [
      first((r) => ({ ...r, dataset: { ...r.dataset, fingerprint: 'x' } })),
      /dataset: expected .* as protocol 2027\.1 has it/,
    ],
    [first((r) => ({ ...r, task: { ...r.task, version: 99 } })), /task\.version: expected \d+.*; found 99/],
    [
      first((r) => ({ ...r, settings: { ...r.settings, data: { ...r.settings.data!, seed: 1 } } })),
      /data\.seed: expected 0/,
    ],
    [
      withResults((r) => ({
        ...r,
        provenance: { ...r.provenance, backend: { ...r.provenance.backend, name: 'wasm' } },
      })),
      /backend: expected native, .*; found wasm/,
    ],
    [
      first((r) => {
        const metrics = Object.fromEntries(
          Object.entries(r.task.metrics).map(([name, of]) => [name, { ...of, unit: 'x' }]),
        );
        return { ...r, task: { ...r.task, metrics } };
      }),
      /defines its numbers otherwise: metric/,
    ],
    [{ ...submission, results: [...results, results[3]!] }, /results\[39\] repeats/],
    [first(() => undefined), /expected seeds 0, 1, 2; found 1, 2/],
    [withResults((r) => (isAt(r, 'steering') ? undefined : r)), /steering: expected seeds 0, 1, 2; found none/],
    [withResults((r) => (r.subject.id === 'tiny-clip' ? undefined : r)), /lacks tiny-clip .*, and does not say why/],
    [first((r) => ({ ...r, seed: 7 })), /seeds: expected those of its results, 0, 1, 2, 7/],
    [{ ...submission, seeds: [0, 1] }, /seeds: expected those of its results/],
    [
      first((r) => ({ ...r, provenance: { ...r.provenance, cpu: 'Z80' } })),
      /one machine, version and commit; found several \(.*Z80/,
    ],
    [{ ...submission, environment: { ...environment, node: 'v1' } }, /one machine, version and commit/],
    [
      {
        ...withResults((r) => ({
          ...r,
          provenance: { ...r.provenance, git: { commit: 'd'.repeat(40), dirty: true } },
        })),
        environment: { ...environment, git: { commit: 'd'.repeat(40), dirty: true } },
      },
      /expected results of committed code; found a checkout .* with changes \(after dddddddddddd\)/,
    ],
    [
      first((r) => ({ ...r, method: { ...r.method, d_sae: 4096 } })),
      /d_sae (512|256|48), the protocol's width; found 4096/,
    ],
    [
      first((r) => ({ ...r, training: { ...r.training!, options: { ...r.training!.options, tokens: 9e9 } } })),
      /training tokens, the protocol's; found 9000000000/,
    ],
    [
      withResults((r) => {
        if (!isAt(r, 'reconstruction')) return r;
        const l0 = { value: 24, ci95: null, n: 1 };
        return { ...r, rows: r.rows.map((row) => ({ ...row, metrics: { ...row.metrics, l0 } })) };
      }),
      /vision\.embed: expected L0 within a factor of 1\.41 of 8\.\d+, the protocol's sparsity; found 24\.0/,
    ],
    [
      withResults((r) => {
        if (!isAt(r, 'reconstruction')) return r;
        const l0 = { value: null, ci95: null, n: 0, reason: 'x' };
        return { ...r, rows: r.rows.map((row) => ({ ...row, metrics: { ...row.metrics, l0 } })) };
      }),
      /vision\.embed: expected L0 within .*, the protocol's sparsity; found none/,
    ],
    [
      withResults((r) => ({ ...r, method: { ...r.method, options: { ...r.method.options, auxK: r.seed } } })),
      /expected one method; its results differ in auxK/,
    ],
    [{ ...submission, weights: weights.slice(1) }, /weights: expected the hash of what was fitted at .* with seed/],
  ];
  for (const [changed, expected] of wrong) assert.match(await told(changed), expected);
  const textOnly = withResults((r) => (r.subject.id === 'tiny-clip' ? undefined : r));
  checkSubmission({ ...textOnly, leftOut: [{ subject: 'tiny-clip', reason: 'works on text only' }] }, board);
});

test('a file is refused that was edited, cut, renamed, or holds what no submission has', async () => {
  const file = await writeSubmission(folder, submission);
  const text = readFileSync(file, 'utf8');
  assert.equal((await readSubmission(file)).results.length, 39);
  const edited = (change: (text: string) => string) => {
    writeFileSync(file, change(text));
    return refusal(readSubmission(file));
  };
  assert.match(
    await edited((t) => t.replace('"tuning": "nothing"', '"tuning": "all"')),
    /was edited after it was written/,
  );
  assert.match(await edited((t) => t.slice(0, t.length / 2)), /not valid JSON/);
  assert.match(await edited((t) => t.replace('"licence"', '"license"')), /licen[cs]e/);
  assert.match(await edited((t) => t.replace('"mine.ts"', '"../mine.ts"')), /source\.files\[0\]\.path/);
  assert.match(await edited((t) => t.replace(/"value":0\.\d+/, '"value":0.999')), /results\[\d+\]/);
  // Sealed again as a whole: the results have checksums of their own.
  const forged = sealedSubmission(first((r) => ({ ...r, seed: 1 })));
  assert.match(await edited(() => JSON.stringify(forged)), /results\[0\]: .*(edited|checksum)/);
  writeFileSync(file, text);
  renameSync(file, join(folder, 'other.json'));
  assert.match(
    await refusal(readSubmission(join(folder, 'other.json'))),
    /name: expected 'other', as the file is named; found 'mine'/,
  );
  rmSync(join(folder, 'other.json'));
});

const leaderboardWith = async () => {
  const { results: joined, listed } = await submittedTo(board, folder);
  const all = [...board.reference, ...joined];
  const tables = buildTables(all);
  const text = await renderLeaderboard([{ tables }], {
    ...{ limited: false, citation: citationOf(all) },
    protocol: '2027.1',
    submitted: listed.map(listedView),
  });
  return { text, joined, listed, tables };
};

test('the leaderboard has its rows beside the others, marked, whatever the order of its results', async () => {
  await writeSubmission(folder, submission);
  const { text, joined, tables } = await leaderboardWith();
  assert.is(joined.length, 39);
  const names = new Set(tables.flatMap(({ rows }) => rows.map(({ method }) => method.name)));
  assert.ok(
    names.has('mine') &&
      names.has('topk') &&
      names.size === new Set(board.reference.map(({ method }) => method.name)).size + 1,
  );
  assert.match(
    text,
    /\| mine \| TopK SAE with AuxK \| Doe \\\| 2027 \| MIT \| nothing \| [0-9a-f]{12} \| not verified \|/,
  );
  assert.match(text, /⚠ mine: Submitted; not verified\./);
  const efficiency = tables.find(
    ({ task, site }) => task.id === 'efficiency' && site.name === 'blocks.1.hook_resid_post',
  )!;
  const row = efficiency.rows.find(({ method }) => method.name === 'mine')!;
  const measured = Object.keys(efficiency.task.metrics).filter((name) => efficiency.task.metrics[name]!.measured);
  assert.ok(measured.length > 0 && measured.every((name) => row.cells[name]?.value === null), measured.join());
  const other = sealedSubmission({ ...submission, results: [...results].reverse() });
  await writeSubmission(folder, other);
  assert.ok((await leaderboardWith()).text === text);
});

test('code beside a submission that is missing, or was edited after it, stops the rendering', async () => {
  await writeSubmission(folder, submission);
  writeFileSync(code, 'edited');
  assert.match(
    await refusal(submittedTo(board, folder)),
    /^submission mine: expected .*mine\.ts as it was submitted .*; found another .*: put it back, or submit again/,
  );
  rmSync(code);
  assert.match(await refusal(submittedTo(board, folder)), /mine\.ts does not exist/);
  writeFileSync(code, 'code');
  assert.is((await submittedTo(board, folder)).listed.length, 1);
});

test('a submission in the place of another removes the code that is named there, and nothing else', async () => {
  const [own, stale, record] = [join(folder, 'mine', 'notes.txt'), code, verificationFile(folder, 'mine')];
  for (const file of [own, record]) writeFileSync(file, 'mine');
  await clearPlace(folder, 'mine');
  assert.equal(
    [own, stale, record].map((file) => existsSync(file)),
    [true, false, false],
  );
  writeFileSync(code, 'code');
});

test('a record of verifying marks the row; of another version it says nothing; one that failed takes the row out', async () => {
  await writeSubmission(folder, submission);
  const file = verificationFile(folder, 'mine');
  const { arguments: _, ...environment } = results[0]!.provenance;
  const content = { outcome: 'bit-equal' as const, results: 13, of: 39, seeds: [1], draw: 4, environment };
  await writeVerification(file, content, submission);
  const verified = await leaderboardWith();
  assert.match(verified.text, /⚠ mine: Submitted; 13 of 39 results made again, bit for bit\./);
  await writeVerification(file, content, { ...submission, checksum: 'e'.repeat(64) });
  assert.match((await leaderboardWith()).text, /Submitted; not verified/);
  await writeVerification(file, { ...content, outcome: 'differs' }, submission);
  const failed = await leaderboardWith();
  assert.is(failed.joined.length, 0);
  assert.match(failed.text, /in no table: its numbers were not reproduced/);
  writeFileSync(file, readFileSync(file, 'utf8').replace('differs', 'bit-equal'));
  assert.match(await refusal(submittedTo(board, folder)), /verification .*: was edited after it was written/);
  renameSync(file, verificationFile(folder, 'nobody'));
  assert.match(
    await refusal(submittedTo(board, folder)),
    /nobody\.verified\.json: there is no submission of this name/,
  );
  rmSync(verificationFile(folder, 'nobody'));
});

test('a submission of an older protocol is listed and in no table; one of this protocol that is wrong stops the rendering', async () => {
  await writeSubmission(folder, sealedSubmission({ ...submission, protocol: '2026.1' }));
  const old = await leaderboardWith();
  assert.is(old.joined.length, 0);
  assert.match(old.text, /in no table: of protocol 2026\.1; submit it again/);
  await writeSubmission(folder, sealedSubmission({ ...submission, seeds: [0] }));
  assert.match(await refusal(submittedTo(board, folder)), /^submission mine: seeds:/);
});

test('the protocol notices other conditions, and not other methods', async () => {
  const { reference, protocol } = board;
  assert.is(protocolDigest([...reference].reverse(), 'topk'), protocol.digest, 'order');
  assert.is(
    protocolDigest(
      reference.filter(({ method }) => method.id !== 'gated'),
      'topk',
    ),
    protocol.digest,
    'methods',
  );
  const raised = reference.map((r) => (r.task.id === 'steering' ? { ...r, task: { ...r.task, version: 99 } } : r));
  assert.match(await refusal(() => protocolOf(protocol, raised)), /protocol 2027\.1: .* raise it in protocol\.json/);
  assert.is.not(protocolOf({ ...protocol, protocol: '2027.2', digest: null }, raised).digest, protocol.digest);
  const wider = reference.map((r) => (r.method.id === 'topk' ? { ...r, method: { ...r.method, d_sae: 1024 } } : r));
  assert.is.not(protocolDigest(wider, 'topk'), protocol.digest, 'sizes');
});

test('verifying: equal bits, a tolerance elsewhere, and nothing else', () => {
  const sampled = { results: results.filter(({ seed }) => seed === 1), weights };
  /** The first reconstruction with its explained variance moved, under its own key or another's. */
  const moved = (by: number, key?: string) =>
    sampled.results.map((r) => {
      if (!isAt(r, 'reconstruction')) return r;
      const rows = r.rows.map((row) => {
        const own = row.metrics['explained_variance']!;
        return { ...row, metrics: { ...row.metrics, explained_variance: { ...own, value: own.value! + by } } };
      });
      return { ...r, ...(key ? { key } : {}), rows };
    });
  const again = (made: Result[], own = weights) => compareAgain(sampled, { results: made, weights: own }, board);
  const other = 'f'.repeat(64);
  assert.is(again([...sampled.results].reverse()).outcome, 'bit-equal');
  assert.is(again(moved(1e-12)).outcome, 'differs', 'the same key forbids any difference');
  const near = again(moved(1e-4, other));
  assert.is(near.outcome, 'within-tolerance');
  assert.ok(near.deviations[0]!.size < 1 && near.deviations[0]!.tolerance > 0);
  const far = again(moved(-0.2, other));
  assert.is(far.outcome, 'differs');
  assert.match(far.deviations[0]!.where, /^tiny-clip vision\.embed reconstruction seed 1 .*explained_variance$/);
  assert.is(again(sampled.results.slice(1)).outcome, 'differs', 'one is not made');
  assert.is(
    compareAgain({ ...sampled, results: sampled.results.slice(1) }, sampled, board).outcome,
    'differs',
    'one was not submitted',
  );
  const heavier = weights.map((each) => ({ ...each, sha256: other }));
  assert.is(again(sampled.results, heavier).outcome, 'differs', 'other weights under the same keys');
  const foreign = sampled.results.map((r) => ({ ...r, key: other }));
  assert.is(again(foreign, heavier).outcome, 'bit-equal', 'on another machine weights may be others');
  const marked = foreign.map((r, i) => (i === 0 ? { ...r, marks: [{ code: 'l0-off-target', message: 'x' }] } : r));
  assert.match(again(marked).others[0]!, /marked here, and not there: l0-off-target/);
});

test('verifying: what a submission says of its method, and a number that it leaves out', () => {
  const [honest] = results.filter((r) => isAt(r, 'reconstruction'));
  const found = (change: Partial<Result>) =>
    compareAgain({ results: [{ ...honest!, ...change }], weights }, { results: [honest!], weights: [] }, board);
  assert.is(found({}).outcome, 'bit-equal');
  const { method, training } = honest!;
  const said: [change: Partial<Result>, told: RegExp][] = [
    [{ method: { ...method, d_sae: 17 } }, /seed 0: d_sae: submitted 17, found \d+$/],
    [{ method: { ...method, options: { ...method.options, k: 3 } } }, /seed 0: k: submitted 3, found 8$/],
    [
      { training: { ...training!, options: { ...training!.options, tokens: 5 } } },
      /training\.tokens: submitted 5, found \d+$/,
    ],
  ];
  for (const [change, told] of said) {
    const { outcome, equal, others } = found(change);
    assert.equal([outcome, equal], ['differs', 1]);
    assert.match(others[0]!, told);
  }
  const rows = honest!.rows.map(({ metrics: { explained_variance: _, ...metrics }, ...row }) => ({ ...row, metrics }));
  const { outcome, deviations } = found({ key: 'f'.repeat(64), rows });
  assert.is(outcome, 'differs');
  assert.match(deviations[0]!.where, /explained_variance$/);
  assert.is(deviations[0]!.submitted, null);
});

test.run();
