/** @file Which rows count: the policy for special tokens and the class token, explicit and recorded. */
import type { Site, Subject } from '../contract.ts';
import { UserError } from '../errors.ts';

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
    return imagePolicy('imagePrefix' in subject ? subject.imagePrefix : undefined, policy);
  }
  if (policy.specialTokens === 'include') return always('all tokens kept, special ones too');
  if (!('tokenizer' in subject)) throw new Error(`internal: ${subject.id} has no tokens at ${site.name}`);
  const { specialIds } = subject.tokenizer;
  return { description: 'special tokens excluded', keeps: (id) => !specialIds.has(id) };
}

/** @param prefix Positions before the patches: the class token, then registers. */
function imagePolicy(prefix = 1, { classToken = 'include' }: CollectPolicy): ResolvedPolicy {
  if (prefix === 0) {
    if (classToken !== 'only') return always('patches kept: there is no class token');
    throw new UserError(
      "policy: classToken: expected 'include' or 'exclude', since the subject has none; found 'only'.",
    );
  }
  const others = prefix > 1 ? ` with ${prefix - 1} registers` : '';
  if (classToken === 'include') return always(`class token${others} and patches kept`);
  if (classToken === 'only') return { description: 'class token only', keeps: (_id, position) => position === 0 };
  return {
    description: `patches only, class token${others} excluded`,
    keeps: (_id, position) => position >= prefix,
  };
}
