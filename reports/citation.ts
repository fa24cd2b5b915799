/** @file What to cite of results: with what they were made, hashes of what was measured, and an entry of BibTeX. */
import { sha256Json } from '../harness/io/hash.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { latexText } from './escape.ts';

export interface Citation {
  /** Versions and commits of saxbench with the backend that computed. */
  software: string[];
  suites: { id: string; title: string }[];
  /** Of a leaderboard that others submit to: what their results share with those of a suite. */
  protocol?: { protocol: string; suite: string };
  /** Of the format of results. */
  schema: number;
  subjects: Fingerprinted[];
  datasets: Fingerprinted[];
  tasks: { id: string; version: number }[];
  /** How many results there are, and one hash of their keys; each result has its own, of all that its numbers depend on. */
  results: { count: number; sha256: string };
  /** The same of the steps in the store that the results came from. */
  steps: { count: number; sha256: string };
  bibtex: string;
}

interface Fingerprinted {
  id: string;
  fingerprint: string;
}

/** Each once, in the order of first appearance. */
function once<T>(values: readonly T[]): T[] {
  const seen = new Map(values.map((value) => [JSON.stringify(value), value]));
  return [...seen.values()];
}

const hashOf = (keys: readonly string[]) => {
  const own = [...new Set(keys)].sort();
  return { count: own.length, sha256: sha256Json(own) };
};

/** Digits of a hash that a reader compares by eye. */
const SHORT = 16;

const commitOf = (git: Result['provenance']['git']): string =>
  git ? `, commit ${git.commit}${git.dirty ? ' (modified)' : ''}` : '';

/** The text in a field: braces are counted, escaped ones too. */
const fieldText = (text: string): string =>
  latexText(text).replaceAll('\\{', '\\textbraceleft{}').replaceAll('\\}', '\\textbraceright{}');

/** An entry whose key and note say which results: no date, since rendering again gives the same text. */
function bibtexOf(
  results: readonly Result[],
  { suites, protocol, results: { count, sha256 } }: Pick<Citation, 'suites' | 'protocol' | 'results'>,
): string {
  const versions = once(results.map(({ provenance }) => provenance.saxbench));
  const commits = once(results.flatMap(({ provenance: { git } }) => (git ? [git.commit] : [])));
  const note = [
    `Suite ${suites.map(({ id }) => id).join(', ')}`,
    ...(protocol ? [`protocol ${protocol.protocol}`] : []),
    ...(results.some(({ limited }) => limited) ? ['limited run'] : []),
    `${count} results, SHA-256 of their keys ${sha256.slice(0, SHORT)}`,
    ...(commits.length > 0 ? [`commit ${commits.map((commit) => commit.slice(0, SHORT)).join(', ')}`] : []),
  ].join('; ');
  const fields = {
    author: '{saxbench contributors}',
    title: '{saxbench}: a benchmark of sparse autoencoders',
    version: fieldText(versions.join(', ')),
    note: fieldText(note),
  };
  const lines = Object.entries(fields).map(([name, value]) => `  ${name.padEnd(7)} = {${value}},`);
  return [`@misc{saxbench-${sha256.slice(0, 8)},`, ...lines, '}'].join('\n');
}

export function citationOf(given: readonly Result[], protocol?: Citation['protocol']): Citation {
  const software = given.map(
    ({ provenance: { saxbench, backend, git } }) =>
      `saxbench ${saxbench}${commitOf(git)}, backend ${backend.name} ${backend.version}`,
  );
  const suites = once(given.map(({ suite: { id, title } }) => ({ id, title })));
  const results = hashOf(given.map(({ key }) => key));
  const told = { suites, ...(protocol ? { protocol: { protocol: protocol.protocol, suite: protocol.suite } } : {}) };
  return {
    software: once(software),
    ...told,
    schema: Math.max(...given.map(({ schema }) => schema)),
    subjects: once(given.map(({ subject: { id, fingerprint } }) => ({ id, fingerprint }))),
    datasets: once(given.map(({ dataset: { id, fingerprint } }) => ({ id, fingerprint }))),
    tasks: once(given.map(({ task: { id, version } }) => ({ id, version }))),
    results,
    steps: hashOf(given.flatMap(({ provenance }) => Object.values(provenance.steps))),
    bibtex: bibtexOf(given, { ...told, results }),
  };
}

/** In words, a line a fact, without the entry of BibTeX. */
export function citationLines({ software, suites, protocol, schema, results, steps, ...measured }: Citation): string[] {
  return [
    ...software,
    ...suites.map(({ id, title }) => `suite ${id}: ${title}`),
    ...(protocol ? [`protocol ${protocol.protocol}, of the suite ${protocol.suite}`] : []),
    ...measured.subjects.map(({ id, fingerprint }) => `model ${id}, fingerprint ${fingerprint}`),
    ...measured.datasets.map(({ id, fingerprint }) => `dataset ${id}, fingerprint ${fingerprint}`),
    `tasks ${measured.tasks.map(({ id, version }) => `${id} version ${version}`).join(', ')}; format of results ${schema}`,
    `${results.count} results, SHA-256 of their keys in order ${results.sha256}`,
    `${steps.count} steps of the store, SHA-256 of their keys in order ${steps.sha256}`,
  ];
}
