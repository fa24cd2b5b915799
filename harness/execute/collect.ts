/** @file The step that collects one split of activations at one site. */
import { collectActivations } from '../activations/collect.ts';
import type { CollectPolicy } from '../activations/policy.ts';
import { openActivationSet } from '../activations/set-files.ts';
import type { Item } from '../contract/data.ts';
import type { ActivationSet } from '../contract.ts';
import type { ActivationSplit, Cell } from '../plan.ts';
import type { StepProgress } from '../progress.ts';
import type { Session } from './session.ts';

/** The items of a split, in the order of its activations. */
export async function itemsOf(
  { dataset, testItems }: Session,
  { subject }: Cell,
  split: ActivationSplit,
): Promise<Item[]> {
  if (split === 'test') return testItems();
  if (split === 'train') return dataset.corpus('train', subject.collect.train);
  return (await dataset.concepts!(subject.concepts)).items;
}

/** Runs the subject over the items of a split and writes their activations into `folder`. */
export async function collectSplit(
  session: Session,
  cell: Cell,
  split: ActivationSplit,
  folder: string,
  { progress, signal }: { progress: StepProgress; signal: AbortSignal },
): Promise<void> {
  const { dtype, policy, maxLength } = cell.subject.collect;
  await collectActivations({
    subject: session.subject!,
    site: cell.site,
    items: await itemsOf(session, cell, split),
    folder,
    policy: policy as CollectPolicy,
    dtype,
    maxLength,
    key: cell.activations[split]!,
    signal,
    onProgress: progress.update,
  });
}

/** Opens what {@link collectSplit} wrote. */
export const openSplit = (folder: string): Promise<ActivationSet> => openActivationSet(folder);
