/** @file `saxbench validate`: checks a file or folder of any kind that saxbench reads or writes. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { ImportDescription } from '../activations/describe-import.ts';
import type { Values } from '../config/read.ts';
import type { DomainFindings } from '../domain/findings.ts';
import { UserError } from '../errors.ts';
import type { Command } from './command.ts';
import { registryFor } from './plugins.ts';
import { describeFile, FILE_ENDINGS, type FileDescription, fileInLines } from './validate-file.ts';

/** What a path turned out to be, in words; of activations and of files of data what they hold. */
type Found = string | ImportDescription | FileDescription | DomainFindings;

async function validatePath(path: string, values: Values): Promise<Found> {
  if (!existsSync(path)) throw new UserError(`validate: there is no file or folder ${path}.`);
  if (statSync(path).isDirectory()) return validateFolder(path, values);
  if (basename(path) === 'activations.json') return validateFolder(dirname(path), values);
  if (path.endsWith('.gguf')) return validateSubject(path, values);
  const file = await describeFile(path);
  if (file) return file;
  if (!path.endsWith('.json')) {
    throw new UserError(
      `validate ${path}: expected a suite or result (.json), a file of data (${FILE_ENDINGS.join(', ')}) or a folder.`,
    );
  }
  const { readJson } = await import('../io/json.ts');
  const value = await readJson(path, 'validate');
  if (typeof value === 'object' && value !== null && 'provenance' in value) {
    const { readResult } = await import('../results.ts');
    const { subject, site, method, task, seed, rows } = await readResult(path);
    return `a result: ${subject.id} ${site.name} ${method.name} ${task.id} seed ${seed}, ${rows.length} rows`;
  }
  if (typeof value === 'object' && value !== null && 'protocol' in value && 'licence' in value) {
    const { checkSubmission, openBoard, readSubmission } = await import('../../reports/submitted.ts');
    const submission = await readSubmission(path);
    checkSubmission(submission, await openBoard());
    const { name, protocol, results } = submission;
    return `a submission: ${name}, ${results.length} results, whole under protocol ${protocol}; whether they are true, verify tells`;
  }
  return validateSuite(path, values);
}

/** Names, options and folders too, not only the file's form. */
async function validateSuite(path: string, values: Values): Promise<string> {
  const { loadSuite } = await import('../suite/load.ts');
  const { checkSuite } = await import('../suite/check.ts');
  const { joinedLines, joinPlugins } = await import('../suite/join-plugins.ts');
  const { absolutePaths } = await import('../suite/override.ts');
  const { suite: loaded, baseDir } = await loadSuite(path);
  const registry = await registryFor(values);
  const { suite, joined } = await joinPlugins(absolutePaths(loaded, baseDir), registry);
  await checkSuite(suite, baseDir, registry);
  const { subjects, methods, tasks } = suite;
  const found = `a suite: ${suite.id}, ${subjects.length} subjects, ${methods.length} methods, ${tasks.length} tasks`;
  return [found, ...joinedLines(suite, joined)].join('\n');
}

async function validateFolder(path: string, values: Values): Promise<Found> {
  const { describeImport } = await import('../activations/describe-import.ts');
  const { ggufAt } = await import('../io/gguf-place.ts');
  const { hasModelConfig } = await import('../io/model-config.ts');
  const has = (name: string) => existsSync(join(path, name));
  if (has('results')) return validateResults(path);
  const { isDomain } = await import('../domain/read.ts');
  if (isDomain(path)) return validateDomain(path, values);
  const { layoutByNames } = await import('../checkpoints/open.ts');
  const layout = await layoutByNames(path);
  if (layout !== undefined && layout.id !== 'saelens' && layout.id !== 'saxbench') return validateCheckpoint(path);
  if (has('cfg.json')) return validateSae(path);
  if (has('sae.json')) return validateOwnSae(path, values);
  if (has('arrays.safetensors')) return (await describeFile(join(path, 'arrays.safetensors')))!;
  if (hasModelConfig(path) || (await ggufAt(path)) !== undefined) return validateSubject(path, values);
  return describeImport(path);
}

/** A domain's data, split as a run splits them, and the suite that it is. */
async function validateDomain(path: string, values: Values): Promise<DomainFindings> {
  const { loadSuite } = await import('../suite/load.ts');
  const { checkSuite } = await import('../suite/check.ts');
  const { absolutePaths } = await import('../suite/override.ts');
  const { domainSplit } = await import('../suite/domain.ts');
  const { findingsOf } = await import('../domain/findings.ts');
  const { readDomain } = await import('../domain/read.ts');
  const { suite, baseDir } = await loadSuite(path);
  const registry = await registryFor(values);
  const domain = await readDomain(path);
  const found = findingsOf(domain, await domainSplit(domain, suite, registry));
  await checkSuite(absolutePaths(suite, baseDir), baseDir, registry);
  return found;
}

/** The folder that a run wrote to: every result, the first that cannot be believed by name. */
async function validateResults(path: string): Promise<string> {
  const { readPlacedResult, resultFiles } = await import('../results.ts');
  const files = await resultFiles(path);
  for (const file of files) await readPlacedResult(path, file);
  return `results: ${files.length}, all unedited, with numbers within their ranges and intervals`;
}

/** SAELens' layout: an architecture that `run --checkpoint` scores, sizes as in cfg.json, finite weights. */
async function validateSae(path: string): Promise<string> {
  const { readJson } = await import('../io/json.ts');
  const { validate } = await import('../schema/validate.ts');
  const { SAELENS_CONFIG } = await import('../checkpoints/layouts/saelens-config.ts');
  const { readSaeLens } = await import('../checkpoints/layouts/saelens.ts');
  const file = join(path, SAELENS_CONFIG);
  await validate('sae-config', await readJson(file, 'saelens'), `saelens ${file}`);
  const { config } = await readSaeLens(path);
  const { architecture, d_in, d_sae, hook_name } = config;
  return `an SAE: ${architecture}, d_in ${d_in}, d_sae ${d_sae}${hook_name === undefined ? '' : `, site ${hook_name}`}`;
}

/** Another program's layout: its configuration, all its tensors' names and shapes, finite weights. */
async function validateCheckpoint(path: string): Promise<string> {
  const { openCheckpoint } = await import('../checkpoints/open.ts');
  const found = await openCheckpoint(path);
  if (found.own === undefined) await found.read();
  const { architecture, d_in, d_sae, hook_name } = found.facts;
  const site = hook_name === undefined ? '' : `, site ${hook_name}`;
  return `an SAE of ${found.layout.title}: ${architecture}, d_in ${d_in}, d_sae ${d_sae}${site}`;
}

/** Our own layout: the plug-in that it needs, its tensors' shapes, finite weights. */
async function validateOwnSae(path: string, values: Values): Promise<string> {
  const { readOwnSae, readOwnState } = await import('../train/own-layout.ts');
  const { checkVariant } = await import('../suite/own-checkpoint.ts');
  const own = await readOwnSae(path);
  await checkVariant(own, await registryFor(values), `sae ${path}`);
  await readOwnState(path);
  const { variant, shape, hook_name } = own;
  return `an SAE: ${variant}, d_in ${shape.d_in}, d_sae ${shape.d_sae}, site ${hook_name}`;
}

/** Loading checks config, shapes, tokenizer and that weights are finite. */
async function validateSubject(path: string, values: Values): Promise<string> {
  const { initBackend } = await import('../num/backend.ts');
  const { familyOf } = await import('../suite/subjects.ts');
  await initBackend('cpu');
  const family = await familyOf(path, await registryFor(values));
  const subject = await family.load(path, { id: basename(path) });
  const { parameters, sites } = subject;
  subject.dispose();
  return `a subject: family ${family.id}, ${parameters} parameters, ${sites.length} sites`;
}

async function inLines(found: Found): Promise<string[]> {
  if (typeof found === 'string') return [found];
  if ('format' in found) return fileInLines(found);
  if ('declared' in found) return (await import('../domain/findings.ts')).findingsInLines(found);
  return (await import('../activations/describe-import.ts')).describedInLines(found);
}

export const command: Command = {
  name: 'validate',
  usage: 'validate <file>',
  summary:
    'Check a suite, domain, result, submission, folder of results, SAE checkpoint, model folder, activations or a file of data',
  positionals: { file: { description: 'A file or folder' } },
  examples: [
    ['saxbench validate my-suite.json', 'form, names and options of a suite'],
    ['saxbench validate saxbench-out/sae/topk', 'an SAE in SAELens’ layout'],
    ['saxbench validate models/my-llama', 'a model folder'],
    ['saxbench validate saxbench-out/default', 'all results of a run: unedited, within their ranges'],
    [
      'saxbench validate weights.safetensors',
      'arrays with type and shape; also .npy .npz .pt, and rows of .csv .jsonl .parquet',
    ],
    [
      'saxbench validate ./my-domain',
      'a folder of texts and concepts: counts by concept and part, copies, leaks between parts, lengths, concepts too small',
    ],
    ['saxbench validate ./dump', 'activations made elsewhere: files in order, rows, norms, labels, groups, duplicates'],
  ],
  async run({ positionals, values, print }) {
    const path = resolve(positionals['file']!);
    const found = await validatePath(path, values);
    if (values['json']) {
      print(JSON.stringify({ path, valid: true, found }));
      return 0;
    }
    print(`valid: ${(await inLines(found)).join('\n')}`);
    return 0;
  },
};
