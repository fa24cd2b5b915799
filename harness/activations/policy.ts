/** @file Which rows count: the policy for special tokens and the class token, explicit and recorded. */
import type { Site, Subject } from '../contract.ts';

/** What is left to choose; the defaults are the ones that results are compared under. */
export interface CollectPolicy {
  /** BOS, EOS and other special tokens of text. Default `exclude`: their norms are outliers and carry no content. */
  specialTokens?: 'exclude' | 'include';
  /** The class token of a vision tower's token sites. Default `include`. */
  classToken?: 'only' | 'exclude' | 'include';
}

/** The policy that holds at one site. */
export interface ResolvedPolicy {
  /** In words, for results. */
  description: string;
  /** Whether the row at `position` with `tokenId` (−1: none) counts. */
  keeps(tokenId: number, position: number): boolean;
}

const always = (description: string): ResolvedPolicy => ({ description, keeps: () => true });

/** What `policy` means at a site. Padding is never stored, whatever the policy. */
export function resolvePolicy(subject: Subject, site: Site, policy: CollectPolicy = {}): ResolvedPolicy {
  if (site.kind === 'pooled') return always('one pooled row an item, all kept');
  if (site.modality === 'image') {
    const { classToken = 'include' } = policy;
    if (classToken === 'include') return always('class token and patches kept');
    const only = classToken === 'only';
    return {
      description: only ? 'class token only' : 'patches only, class token excluded',
      keeps: (_id, position) => (position === 0) === only,
    };
  }
  if (policy.specialTokens === 'include') return always('all tokens kept, special ones too');
  const { specialIds } = subject.tokenizer;
  return { description: 'special tokens excluded', keeps: (id) => !specialIds.has(id) };
}
