/** @file `saxbench ls`: what there is, by kind. */
import type { OptionsSchema, Plugin } from '../contract.ts';
import type { Registry } from '../registry.ts';
import type { Command, CommandContext } from './command.ts';
import { registryFor } from './plugins.ts';

const KINDS = ['sae', 'baselines', 'tasks', 'suites', 'subjects', 'sites', 'datasets', 'judges'] as const;
type Kind = (typeof KINDS)[number];

/** One line of the list. */
interface Line {
  id: string;
  title: string;
  [detail: string]: unknown;
}

const brief = ({ id, title, paper, version }: Plugin): Line => ({ id, title, version, ...(paper ? { paper } : {}) });

async function suites(): Promise<Line[]> {
  const { loadSuite, suiteIds } = await import('../suite/load.ts');
  return Promise.all(
    suiteIds().map(async (id) => {
      const { suite } = await loadSuite(id);
      const { title, description, full } = suite;
      return {
        ...{ id, title },
        ...(description ? { description } : {}),
        ...(full ? { full: full.description ?? 'the whole protocol' } : {}),
      };
    }),
  );
}

async function subjects(registry: Registry): Promise<Line[]> {
  const { embeddedSubjectIds, familyOf, subjectFolder } = await import('../suite/subjects.ts');
  const embedded = await Promise.all(
    embeddedSubjectIds().map(async (id) => {
      const family = await familyOf(await subjectFolder({ id }, ''), registry);
      return { id, title: `embedded, family ${family.id}`, family: family.id };
    }),
  );
  const { cachedSubject, knownSubjects } = await import('../suite/known-subjects.ts');
  const known = await Promise.all(
    (await knownSubjects()).map(async (subject) => {
      const here =
        (await cachedSubject(subject)) === undefined ? `fetched when it is named, or by saxbench fetch` : 'here';
      return { id: subject.id, title: `${subject.title}; ${subject.licence}; ${here}` };
    }),
  );
  const families = (await registry.all('subject')).map((family) => ({
    id: `--subject DIR`,
    title: `${family.title}; model_type ${family.modelTypes.join(', ')}`,
    family: family.id,
  }));
  return [...embedded, ...known, ...families];
}

/** Sites by the folders' configs; a network of a family without an outline is loaded, which needs a backend. */
async function sites(context: CommandContext, registry: Registry): Promise<Line[]> {
  const { embeddedSubjectIds, fetchNamed, subjectByName, subjectOutline } = await import('../suite/subjects.ts');
  const chosen = context.values['subject'] as string | undefined;
  if (chosen !== undefined) await fetchNamed([await subjectByName(chosen)], context);
  const lines: Line[] = [];
  for (const name of chosen === undefined ? embeddedSubjectIds() : [chosen]) {
    const subject = await subjectOutline(name, registry);
    for (const site of subject.sites) {
      lines.push({
        id: site.name,
        title: `${subject.id}: ${site.kind}, ${site.modality}, d_in ${site.d}`,
        subject: subject.id,
      });
    }
  }
  return lines;
}

/** Paper, and options with their defaults, below the line of a plug-in that has them; of a suite what `--full` is. */
function detailsOf({ paper, hyperparameters, full }: Line): string[] {
  if (full !== undefined) return [`--full: ${full}`];
  if (hyperparameters === undefined) return [];
  const options = Object.entries(hyperparameters as OptionsSchema).map(
    ([name, { default: value }]) => `${name} ${value === undefined ? '(none)' : JSON.stringify(value)}`,
  );
  return [...(paper === undefined ? [] : [String(paper)]), `options: ${options.join(', ') || 'none'}`];
}

async function list(kind: Kind, context: CommandContext): Promise<Line[]> {
  if (kind === 'suites') return suites();
  const registry = await registryFor(context.values);
  switch (kind) {
    case 'sae':
      return (await registry.all('sae')).map((sae) => ({ ...brief(sae), hyperparameters: sae.hyperparameters }));
    case 'baselines':
      return (await registry.all('baseline')).map((it) => ({ ...brief(it), needs: it.needs, options: it.options }));
    case 'tasks':
      return (await registry.all('task')).map((it) => ({ ...brief(it), options: it.options, metrics: it.metrics }));
    case 'datasets':
      return (await registry.all('dataset')).map((it) => ({
        ...brief(it),
        modality: it.modality,
        options: it.options,
      }));
    case 'judges':
      return (await registry.all('judge')).map((it) => ({ ...brief(it), options: it.options }));
    case 'subjects':
      return subjects(registry);
    default:
      return sites(context, registry);
  }
}

export const command: Command = {
  name: 'ls',
  usage: 'ls <kind>',
  summary: `List what there is: ${KINDS.join(', ')}`,
  positionals: { kind: { description: 'What to list', choices: KINDS } },
  examples: [
    ['saxbench ls sae', 'SAE variants with their papers, options and defaults'],
    ['saxbench ls sites --subject models/my-llama', 'activations that can be studied in a model'],
    ['saxbench ls tasks --json', 'tasks with their options and metrics'],
  ],
  async run(context) {
    const lines = await list(context.positionals['kind'] as Kind, context);
    if (context.values['json']) {
      context.print(JSON.stringify(lines, null, 2));
      return 0;
    }
    const width = Math.max(0, ...lines.map(({ id }) => id.length));
    for (const line of lines) {
      context.print(`${line.id.padEnd(width)}  ${line.title}`);
      for (const detail of detailsOf(line)) context.print(`${' '.repeat(width)}    ${detail}`);
    }
    if (lines.length === 0) context.say(`There are no ${context.positionals['kind']}.`);
    return 0;
  },
};
