/** @file The steps that collect one split of activations: one pass over the items serves all sites that miss it. */
import { collectActivations } from '../activations/collect.ts';
import { openActivationSet } from '../activations/set-files.ts';
import { writeVectors } from '../activations/vectors.ts';
import type { Item } from '../contract/data.ts';
import type { ActivationSet } from '../contract.ts';
import type { ActivationSplit, SitePlan } from '../plan.ts';
import type { StoredStep } from '../store.ts';
import type { Session } from './session.ts';
import type { RunStep, StepWork } from './steps.ts';

/** Texts of a split, and those of them that the subject does not see to the end. */
type CollectedTexts = Awaited<ReturnType<typeof collectActivations>>;

const SPLITS: Record<ActivationSplit, string> = { train: 'training', test: 'held-out', labelled: 'labelled' };

/** The items of a split, in the order of its activations. */
export async function itemsOf(
  { dataset, testItems, labelledSet }: Session,
  { subject, site }: SitePlan,
  split: ActivationSplit,
): Promise<Item[]> {
  if (split === 'test') return testItems();
  if (split === 'train') return dataset.corpus('train', subject.collect.train);
  return (await labelledSet(site, subject.concepts)).set.items;
}

/**
 * The step of `site`, and beside it those of `others`: sites of the same subject that need the same split at their own
 * sites. What is there already is left alone. The seconds of each step are those of the pass that made it.
 */
export async function collectSplit(
  session: Session,
  sitePlan: SitePlan,
  others: readonly SitePlan[],
  split: ActivationSplit,
  step: RunStep,
): Promise<StoredStep> {
  const { modality } = session.site(sitePlan.site);
  const together = [sitePlan, ...others].filter(
    ({ site, activations }) => activations[split] !== undefined && session.site(site).modality === modality,
  );
  const byKey = new Map(together.map((each) => [each.activations[split]!, each]));
  // Each step holds its lock while the next is opened: in one order for all processes, or two could wait for each other.
  const keys = [...byKey.keys()].sort();
  const opened = new Map<string, string>();
  const found = new Map<string, StoredStep>();
  /** What collecting says of the texts, where it was needed. */
  async function open(at: number, work?: StepWork): Promise<CollectedTexts | undefined> {
    const key = keys[at];
    if (key === undefined) return work && collect(work);
    let made = false;
    const label = `${sitePlan.subject.id} ${byKey.get(key)!.site} ${split}`;
    const stored = await step('activations', key, label, async (own) => {
      made = true;
      opened.set(key, own.folder);
      return { texts: await open(at + 1, own) };
    });
    const texts = made ? (stored.meta['texts'] as CollectedTexts | undefined) : await open(at + 1, work);
    found.set(key, stored);
    return texts;
  }
  async function collect({ progress, signal }: StepWork): Promise<CollectedTexts> {
    const { dtype, policy, maxLength } = sitePlan.subject.collect;
    const items = await itemsOf(session, sitePlan, split);
    const targets = [...opened].map(([key, folder]) => ({ site: byKey.get(key)!.site, folder, key }));
    const { dataset, subject } = session;
    if (!subject) {
      const run = { signal, onProgress: progress.update };
      return writeVectors(dataset, sitePlan.subject.id, items, targets[0]!, dtype, run);
    }
    return collectActivations({
      subject,
      targets,
      items,
      policy,
      dtype,
      maxLength,
      signal,
      onProgress: progress.update,
    });
  }
  await open(0);
  return found.get(sitePlan.activations[split]!)!;
}

/** What must be said of the texts of a split, if anything. */
export function cutNote(split: ActivationSplit, { meta }: StoredStep): string | undefined {
  const { items, cut } = (meta['texts'] ?? { items: 0, cut: 0 }) as CollectedTexts;
  return cut === 0 ? undefined : `the context cuts ${cut} of ${items} ${SPLITS[split]} texts`;
}

/** Opens what {@link collectSplit} wrote. */
export const openSplit = (folder: string): Promise<ActivationSet> => openActivationSet(folder);
