/** @file Runs everything at one site of one subject: activations, then each method with its tasks. */
import { keptRows } from '../activations/activation-set.ts';
import { collectInMemory } from '../activations/collect-in-memory.ts';
import { fewRowsHoldVariance } from '../activations/norms.ts';
import { type PositionRule, positionRule, withKeep, withoutPositions } from '../activations/positions.ts';
import type { Item, ItemEmbedder } from '../contract/data.ts';
import type { TaskJudge } from '../contract/judge.ts';
import type { FittedMethod, LabelledActivations, Mark, PooledLatents, TrainingSpeed } from '../contract/methods.ts';
import type { TargetSite, TaskDefinition } from '../contract/task.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import { canonicalJson } from '../io/json.ts';
import { poolLatents } from '../kit/latents.ts';
import { readsLabels } from '../plan/methods.ts';
import {
  type ActivationSplit,
  type Evaluation,
  type Fit,
  type PlannedTarget,
  type Prepare,
  readsTest,
  type SitePlan,
  targetsOf,
} from '../plan.ts';
import { openReplies } from '../store/replies.ts';
import type { StoredStep } from '../store.ts';
import { generalOf, judgesOf, type ResolvedJudge, type ResolvedTask } from '../suite/resolved.ts';
import { collectSplit, cutNote, itemsOf, openSplit } from './collect.ts';
import { openEmbedder } from './embedder.ts';
import {
  type EvaluationMeta,
  evaluateTask,
  prepareContext,
  prepareTask,
  readPrepared,
  type SiteActivations,
  taskJudge,
} from './evaluate.ts';
import { type FitInputs, fitMethod, labelsOf, restoreMethod } from './fit.ts';
import { labelledActivations } from './labelled.ts';
import { createOnce } from './once.ts';
import { positionsLine } from './position-facts.ts';
import type { Run } from './run.ts';
import type { Session } from './session.ts';
import { epochsNote, factsOf, type SiteFacts } from './site-facts.ts';
import { type RunStep, secondsOf } from './steps.ts';

/** What a site is opened with. */
export interface SiteParts {
  run: Run;
  session: Session;
  step: RunStep;
  /** Sites of the same subject that the run comes to later: what is collected for one is collected for them. */
  others: readonly SitePlan[];
}

const keysOf = (target: PlannedTarget | undefined): string[] => (target ? Object.values(target.activations) : []);

/** A step whose output several others read: computed once, and its failure is every reader's failure. */
interface Shared<T> {
  value: T;
  seconds: number;
}

/** One site while it runs. */
export interface RunningSite {
  /** Fits the method when it is not there yet. */
  fit(fit: Fit): Promise<StoredStep>;
  /** Fits (or finds) the method and hands it to `use` until that ends. */
  withMethod(fit: Fit, use: (method: FittedAtSite) => Promise<void>): Promise<void>;
  /** What a result of it says even where a method failed: no rows of data where there are no activations. */
  facts(): Promise<SiteFacts>;
}

export interface FittedAtSite {
  method: FittedMethod;
  activations: SiteActivations;
  /** Its latents of whole items, kept as long as the method is. */
  latents(set: ActivationSet): Promise<PooledLatents>;
  /** Scores the method on one task; the step in the store is what comes of it. */
  evaluate(evaluation: Evaluation): Promise<StoredStep>;
}

/** Opens a site. Nothing is computed before the first method needs it. */
export function openSite(sitePlan: SitePlan, { run, session, step, others }: SiteParts): RunningSite {
  const { registry, signal, say } = run;
  const { subject, site, activations: keys } = sitePlan;
  const place = `${subject.id} ${site}`;
  /** Imported activations are no steps: they are read where they lie. */
  const collected = session.activationsFor ? [] : [keys.train, keys.test, keys.labelled];
  const once = createOnce();
  /** What each judge was answered before. */
  const repliesOf = openReplies(run.store.root, run.progress.say);

  /** The sites that methods reconstruct, as far as collecting them goes. */
  const targets = targetsOf(sitePlan.fits).map(
    (target): SitePlan => ({ ...sitePlan, ...target, prepares: [], fits: [] }),
  );

  type Opened = Shared<ActivationSet> & { note?: string | undefined };

  /** Activations as they lie, before the filter of positions. */
  const collectedSplit = (name: ActivationSplit): Promise<Opened> =>
    once(`collected ${name}`, async () => {
      if (session.activationsFor) {
        return { value: await session.activationsFor(await itemsOf(session, sitePlan, name)), seconds: 0 };
      }
      const stored = await collectSplit(session, sitePlan, [...others, ...targets], name, step);
      return { value: await openSplit(stored.folder), seconds: secondsOf(stored), note: cutNote(name, stored) };
    });

  /** What is left out of all splits, by the training split. */
  const rule = (): Promise<PositionRule | undefined> =>
    once('positions', async () => {
      const { first, maxNorm, tokens } = subject.collect.policy;
      if (
        session.activationsFor &&
        session.site(site).kind === 'pooled' &&
        (first ?? maxNorm ?? tokens) !== undefined
      ) {
        throw new UserError(
          `${place}: expected imported items of several rows for a filter of positions; found one row an item: name 'bounds' in activations.json, or leave the filter out.`,
        );
      }
      const { value: train } = await collectedSplit('train');
      const network = session.subject;
      const tokenizer = network && 'tokenizer' in network ? network.tokenizer : undefined;
      return positionRule(subject.collect.policy, session.site(site), train, tokenizer);
    });

  const split = (name: ActivationSplit): Promise<Opened> =>
    once(name, async () => {
      const filter = await rule();
      const opened = await collectedSplit(name);
      if (!filter) return opened;
      const { set, spared } = await withoutPositions(opened.value, filter, { spare: name === 'labelled' });
      const note = spared > 0 ? `${spared} labelled items of left-out positions alone keep their last one` : undefined;
      if (name === 'train') say(`${place}: ${positionsLine(set, filter)}`);
      return {
        ...opened,
        value: set,
        note: [opened.note, note].filter((text) => text !== undefined).join('; ') || undefined,
      };
    });

  /** What is trained on in place of the training split: as many items, under the same filter. */
  const generalSplit = (key: string): Promise<ActivationSet> =>
    once(`general ${key}`, async () => {
      const filter = await rule();
      const plan = { ...sitePlan, activations: { train: key, test: key } };
      const own = { ...session, dataset: await session.general!() };
      const set = await openSplit((await collectSplit(own, plan, [], 'train', step)).folder);
      return filter ? (await withoutPositions(set, filter)).set : set;
    });

  const targetSets = (target: PlannedTarget): Promise<TargetSite> =>
    once(`target ${target.site}`, async () => {
      const plan = targets.find(({ site }) => site === target.site)!;
      const open = async (name: 'train' | 'test') =>
        openSplit((await collectSplit(session, plan, [], name, step)).folder);
      // What the site itself needs is collected in the same pass, if it comes first.
      await split('train');
      await split('test');
      // Rows are those of the input site, whatever the norms at the target.
      const like = async (name: 'train' | 'test') => {
        const [own, { keep, policy, unfiltered }] = [await open(name), (await split(name)).value];
        return unfiltered ? withKeep(own, keep, policy) : own;
      };
      return { site: session.site(target.site), train: await like('train'), test: await like('test') };
    });

  /** What a reader must know of the rows that are left, where few of them hold the variance: those of a target too. */
  const concentration = (target?: PlannedTarget): Promise<Mark | undefined> =>
    once(`concentration ${target?.site ?? ''}`, async () => {
      const at = target?.site ?? site;
      if (session.site(at).modality === 'vectors') return undefined;
      const found = target
        ? await fewRowsHoldVariance(
            (await targetSets(target)).train,
            `rows are left out by their norms at ${site}, not at the target ${at}: --positions first=1 leaves the first of every item out.`,
          )
        : await fewRowsHoldVariance((await split('train')).value);
      if (found === undefined) return undefined;
      const message = target ? `target ${at}: ${found}` : found;
      say(`warning: ${place}: ${message}`);
      return { code: 'variance-in-few-rows', message };
    });

  const labelled = (): Promise<(Shared<LabelledActivations> & { notes: string[] }) | undefined> =>
    once('labelled set', async () => {
      if (keys.labelled === undefined) return undefined;
      const { set, notes } = await session.labelledSet(site, subject.concepts);
      const { value, seconds, note } = await split('labelled');
      // Cut labelled texts are said by the set's own notes.
      const spared = (await rule()) && note !== undefined ? [note] : [];
      return { value: labelledActivations(set, value), seconds, notes: [...notes, ...spared] };
    });

  const activations = (): Promise<Shared<SiteActivations> & { times: Record<string, number>; notes: string[] }> =>
    once('activations', async () => {
      const [train, test, labels] = [await split('train'), await split('test'), await labelled()];
      const times = { train: train.seconds, test: test.seconds, ...(labels ? { labelled: labels.seconds } : {}) };
      const value = { train: train.value, test: test.value, ...(labels ? { labelled: labels.value } : {}) };
      const ofSplits = [train.note, test.note].filter((note) => note !== undefined);
      return { value, times, seconds: 0, notes: [...ofSplits, ...(labels?.notes ?? [])] };
    });

  /** Further items as the site's own: under its policy and its filter of positions. */
  const collect =
    session.subject &&
    (async (items: readonly Item[]): Promise<ActivationSet> => {
      const set = await collectInMemory(session.subject!, site, items, subject.collect, signal);
      const filter = await rule();
      return filter ? (await withoutPositions(set, filter, { spare: true })).set : set;
    });

  const embedderOf = async ({ embedder }: Pick<ResolvedTask, 'embedder'>): Promise<ItemEmbedder | undefined> =>
    embedder && once(`embedder ${embedder.fingerprint}`, () => openEmbedder(embedder, session, run));

  const openJudge = (judge: ResolvedJudge, embedder: ResolvedTask['embedder']): Promise<TaskJudge> => {
    const by = embedder?.fingerprint;
    return once(`judge ${JSON.stringify([judge, by])}`, async () => {
      const definition = await registry.get('judge', judge.id);
      const own = definition.replyOptions?.(judge.options) ?? judge.options;
      const options = definition.embeds && by !== undefined ? { ...own, embedder: by } : own;
      const replies = repliesOf({ ...judge, options });
      return taskJudge(definition, judge, session, replies, run.chat, () => embedderOf({ embedder }));
    });
  };

  const judgesFor = (task: ResolvedTask): Promise<TaskJudge[]> =>
    Promise.all(judgesOf(task).map((judge) => openJudge(judge, task.embedder)));

  const prepare = ({ key, task, taskSeed, target }: Prepare, definition: TaskDefinition) =>
    once(key, async () => {
      const inputs = { ...(await activations()).value, ...(target ? { target: await targetSets(target) } : {}) };
      const stored = await step(
        'prepare',
        key,
        `${place} ${task.id}`,
        async (work) => {
          const readers = { judges: await judgesFor(task), embedder: await embedderOf(task), collect };
          const context = await prepareContext(session, sitePlan, inputs, task.options, taskSeed, work, readers);
          await prepareTask(definition, context, work.folder);
          return {};
        },
        { inputs: [...collected, ...keysOf(target)] },
      );
      return { value: await readPrepared(stored.folder), seconds: secondsOf(stored) };
    });

  async function inputsOf({ method, target, general }: Fit): Promise<FitInputs> {
    const train = general === undefined ? (await split('train')).value : await generalSplit(general);
    const labels = readsLabels(method) ? await labelled() : undefined;
    const { input } = session.site(site);
    return {
      train,
      ...(readsTest(method) ? { test: (await split('test')).value } : {}),
      ...(labels ? { labelled: labels.value } : {}),
      ...(target ? { target: await targetSets(target) } : {}),
      ...(session.subject ? { subject: session.subject } : {}),
      ...(session.chat ? { chat: session.chat } : {}),
      site,
      ...(input ? { input } : {}),
    };
  }

  const generalNote = async (name: string, key: string, training: NonNullable<EvaluationMeta['training']>) =>
    `${name} is trained on general data (${generalOf(subject)!.id}), not on the dataset: ${epochsNote(keptRows(await generalSplit(key)), training)}`;

  async function fitStep(fit: Fit): Promise<StoredStep> {
    const definition = await registry.method(fit.method.id);
    const inputs = await inputsOf(fit);
    return step(
      'fit',
      fit.key,
      `${place} ${fit.method.name}${fit.method.seeded ? ` seed ${fit.seed}` : ''}`,
      (work) => fitMethod(definition, fit, inputs, work, registry),
      {
        resumable: definition.kind === 'sae',
        inputs: [
          ...(readsLabels(fit.method) ? collected : collected.slice(0, readsTest(fit.method) ? 2 : 1)),
          ...keysOf(fit.target),
          fit.general,
        ],
      },
    );
  }

  async function withMethod(fit: Fit, use: (method: FittedAtSite) => Promise<void>): Promise<void> {
    const fitted = await fitStep(fit);
    const { value: own, times, notes } = await activations();
    const sets = fit.target ? { ...own, target: await targetSets(fit.target) } : own;
    const definition = await registry.method(fit.method.id);
    const { subject: network, chat } = session;
    const around = { ...sets, site, ...(network ? { subject: network } : {}), ...(chat ? { chat } : {}) };
    const restored = (folder: string) => restoreMethod(definition, folder, fit.method, around, registry);
    const method = await restored(fitted.folder);
    const label = `${place} ${fit.method.name}`;
    const named = await labelsOf(fit.method, method.d_sae).catch((error: unknown) => {
      method.dispose();
      throw error;
    });
    const { id, kind } = fit.method;
    const speed = fitted.meta['speed'] as TrainingSpeed | undefined;
    const pooled = createOnce();
    const latents = (set: ActivationSet) => pooled(set, () => poolLatents(method, set, { signal }));
    const others = createOnce();
    const opened: FittedMethod[] = [];
    const ofFit = (given: Fit) =>
      others(given.key, async () => {
        const other = await restored((await fitStep(given)).folder);
        opened.push(other);
        const own = createOnce();
        return { method: other, latents: (set: ActivationSet) => own(set, () => poolLatents(other, set, { signal })) };
      });
    try {
      await use({
        ...{ method, activations: sets, latents },
        async evaluate(evaluation) {
          const { task, taskSeed, prepare: prepareKey, otherSeed, general } = evaluation;
          const taskDefinition = await registry.get('task', task.id);
          const planned = sitePlan.prepares.find(({ key }) => key === prepareKey);
          const shared = planned && (await prepare(planned, taskDefinition));
          const prepared = shared ? shared.value : { json: {}, arrays: {} };
          // As the key of `prepare` does, where there is one: of this task with these options and this seed.
          const sharedKey = canonicalJson([task.id, task.options, taskSeed]);
          return step(
            'evaluate',
            evaluation.key,
            `${label} ${task.id} seed ${evaluation.seed}`,
            async (work) => {
              const started = performance.now();
              // What is embedded is embedded once, in a task's preparation.
              const embedder = task.prepares ? undefined : await embedderOf(task);
              const readers = { judges: await judgesFor(task), embedder, collect };
              const context = await prepareContext(session, sitePlan, sets, task.options, taskSeed, work, readers);
              const left = await evaluateTask(
                taskDefinition,
                {
                  ...context,
                  method: { ...method, ...named, id, kind, ...(speed ? { training: speed } : {}) },
                  prepared,
                  latents,
                  ...(otherSeed ? { otherSeed: () => ofFit({ ...fit, ...otherSeed, evaluations: [] }) } : {}),
                  ...(general ? { general: () => ofFit(general) } : {}),
                  shared: (name, make) => once(`shared ${sharedKey} ${name}`, make),
                },
                work.folder,
              );
              const training = fitted.meta['training'] as EvaluationMeta['training'];
              // What reads texts alone has nothing of the rows.
              const places = fit.method.needs === 'text' ? [] : [undefined, ...(fit.target ? [fit.target] : [])];
              const ofRows = (await Promise.all(places.map(concentration))).filter((mark) => mark !== undefined);
              const marks = [...((fitted.meta['marks'] ?? []) as Mark[]), ...ofRows];
              // How many rows of an import are trained on, and how often, is the run's choice: it is said.
              const seen = session.activationsFor && training ? [epochsNote(sets.train.n, training)] : [];
              if (fit.general !== undefined && training)
                seen.push(await generalNote(fit.method.name, fit.general, training));
              const meta: EvaluationMeta = {
                run: run.provenance,
                ...factsOf(session, site, sets, [...notes, ...seen], await rule()),
                ...(method.d_sae === undefined ? {} : { d_sae: method.d_sae }),
                ...(training ? { training } : {}),
                ...(marks.length > 0 ? { marks } : {}),
                ...left,
                seconds: {
                  ...times,
                  fit: secondsOf(fitted),
                  ...(shared ? { prepare: shared.seconds } : {}),
                  evaluate: (performance.now() - started) / 1000,
                },
              };
              return { ...meta };
            },
            { inputs: [...collected, ...keysOf(fit.target), fit.key, prepareKey, otherSeed?.key, general?.key] },
          );
        },
      });
    } finally {
      for (const each of [method, ...opened]) each.dispose();
    }
  }

  const facts = () =>
    activations().then(
      async ({ value, notes }) => factsOf(session, site, value, notes, await rule()),
      () => factsOf(session, site, undefined, []),
    );
  return { fit: fitStep, withMethod, facts };
}
