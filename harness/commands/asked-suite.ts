/** @file The suite that the settings of `run` ask for. */
import type { Values } from '../config/read.ts';
import type { RandomInit } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import type { CommandContext } from './command.ts';
import { importedFrom } from './imported.ts';

/** Says what a subject that is not the suite's own runs on; its SAEs are sized by its width, d_in. */
async function sizedFor(
  suite: Suite,
  given: Suite,
  imported: number | undefined,
  registry: Registry,
  say: (line: string) => void,
): Promise<{ suite: Suite; d_in?: number }> {
  const [subject] = suite.subjects;
  const own = given.subjects.some(
    ({ id, path, hub }) => id === subject!.id && path === subject!.path && hub === subject!.hub,
  );
  if (suite.id === given.id || (own && imported === undefined)) return { suite };
  let d_in = imported;
  if (d_in === undefined) {
    const { outlinedSites } = await import('../suite/subjects.ts');
    const sites = await outlinedSites(subject!, registry);
    if (!sites) {
      say(
        `${suite.title}: k and d_sae of the SAEs are the suite's: the family of ${subject!.id} does not tell the width of its ` +
          'sites before it is loaded; --option METHOD.NAME=VALUE sets others.',
      );
      return { suite };
    }
    const { siteOf } = await import('../activations/site-of.ts');
    const known = { id: subject!.id ?? given.id, sites };
    const widths = subject!.sites.map((name) => siteOf(known, name).d);
    d_in = Math.min(...widths);
  }
  const { sizedBy } = await import('../suite/widths.ts');
  const { dataset, activations, sites } = subject!;
  const data =
    dataset === undefined ? 'imported activations' : `dataset ${dataset.id} ${JSON.stringify(dataset.options ?? {})}`;
  say(
    `${suite.title}: ${sites.join(', ')} (d_in ${d_in}), ${data}, items ${JSON.stringify({ train: activations?.train, test: activations?.test })}`,
  );
  return { suite: await sizedBy(suite, d_in, registry), d_in };
}

/** The suite that the settings ask for, with absolute paths. */
export async function suiteFor(
  name: string,
  registry: Registry,
  { values, say, signal }: Pick<CommandContext, 'values' | 'say' | 'signal'>,
): Promise<Suite> {
  const { checkNames, loadSuite } = await import('../suite/load.ts');
  const { checkpointByName } = await import('../suite/checkpoint.ts');
  const { absolutePaths, overrideSuite } = await import('../suite/override.ts');
  const { fetchNamed, subjectByName } = await import('../suite/subjects.ts');
  const { selectFromSuite } = await import('../suite/select.ts');
  const { limitSuite } = await import('../suite/limit.ts');
  const { suite: named, baseDir, domain } = await loadSuite(name);
  const { fullSuite, scoredToo } = await import('../suite/full.ts');
  const loaded = values['full'] ? fullSuite(named) : named;
  const { subject, seed, limit } = values;
  const absolute = absolutePaths(loaded, baseDir);
  const site = values['checkpoint-site'] as string | undefined;
  const form = await checkpointForm(values);
  const given = ((values['checkpoint'] ?? []) as string[]).map((text) => checkpointByName(text, form));
  if (site !== undefined && given.length === 0)
    throw new UserError('--checkpoint-site: expected a --checkpoint too; found none.');
  const checkpoints = site === undefined ? given : given.map((each) => ({ ...each, site, anyOrigin: true }));
  const wider = { ...absolute, methods: [...absolute.methods, ...checkpoints] };
  const imported = await importedFrom(values);
  const own = subject === undefined ? undefined : await subjectByName(subject as string);
  if (own && !imported) await fetchNamed([own], { say, signal });
  const { usualSites } = await import('../suite/usual-sites.ts');
  const usual = domain && own && !imported ? await usualSites(own, registry) : undefined;
  const overridden = await overrideSuite(wider, {
    ...(own && { subject: own }),
    sites: (values['site'] as string[] | undefined) ?? usual,
    imported,
    seed: seed as number | undefined,
    randomInit: values['random-init'] as RandomInit | undefined,
  });
  const { idleLines, joinedLines, joinPlugins } = await import('../suite/join-plugins.ts');
  const { suite: all, joined } = await joinPlugins(overridden, registry, wider);
  const whole = scoredToo(all, absolute);
  checkNames(whole, `suite ${name}`);
  const chosen = selectFromSuite(whole, (values['only'] ?? []) as string[]);
  const { exchangeDataset } = await import('../suite/exchange-dataset.ts');
  const { namedOptions } = await import('../suite/option-text.ts');
  const exchanged = exchangeDataset(chosen, {
    ...(values['dataset'] === undefined ? {} : { id: values['dataset'] as string }),
    options: namedOptions(values['dataset-option'] as string[] | undefined, '--dataset-option', 'train=48'),
    baseDir: process.cwd(),
  });
  const sized = await sizedFor(exchanged, absolute, imported?.d_in, registry, say);
  const limited = limit === undefined ? sized.suite : limitSuite(sized.suite, limit as number);
  const { setJudge, setJudgeModel } = await import('../suite/set-judge.ts');
  const judged = await setJudge(limited, values['judge'] as string | undefined, registry);
  const { setOptions } = await import('../suite/set-options.ts');
  const withOptions = setOptions(judged, (values['option'] ?? []) as string[]);
  const options = await setJudgeModel(withOptions, values['judge-model'] as string | undefined, registry);
  const { setEmbedder } = await import('../suite/embedder.ts');
  const embedder = values['embedder'] as string | undefined;
  const embedded = embedder === undefined ? options : await setEmbedder(options, embedder, registry);
  const { setPositions } = await import('../suite/set-positions.ts');
  const positions = values['positions'] as string[] | undefined;
  const final = setPositions(embedded, positions);
  const { validate } = await import('../schema/validate.ts');
  if (positions !== undefined) await validate('suite', final, '--positions');
  for (const line of joinedLines(final, joined, sized.d_in !== undefined)) say(line);
  for (const line of await idleLines(final, registry)) say(line);
  if (sized.d_in !== undefined) {
    const { sizeLines } = await import('../suite/widths.ts');
    for (const line of await sizeLines(final, sized.d_in, registry)) {
      say(`${line} (by d_in, where no --option METHOD.NAME=VALUE sets it)`);
    }
  }
  return final;
}

/** What `--checkpoint-form` says of the one `--checkpoint`. */
async function checkpointForm(values: Values): Promise<Record<string, unknown> | undefined> {
  const texts = values['checkpoint-form'] as string[] | undefined;
  if (texts === undefined) return undefined;
  const count = ((values['checkpoint'] ?? []) as string[]).length;
  if (count !== 1) throw new UserError(`--checkpoint-form: expected one --checkpoint, which it is of; found ${count}.`);
  const { listedOptions } = await import('../suite/option-text.ts');
  return listedOptions(texts, '--checkpoint-form', 'architecture=topk,k=32');
}
