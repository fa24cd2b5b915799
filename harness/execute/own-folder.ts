/** @file A folder of results belongs to one suite at one size: nothing in it is replaced by another run's. */
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { resultFiles } from '../results.ts';

/** What a folder of results is of. */
export interface FolderOwner {
  suite: string;
  /** `--limit`; absent for a whole run. */
  limit?: number;
}

const named = ({ suite, limit }: FolderOwner) =>
  `suite ${suite} ${limit === undefined ? 'without --limit' : `with --limit ${limit}`}`;

/** Whose a result is, as far as it says so. */
function ownerOf(value: unknown): FolderOwner | undefined {
  const { suite, limited, provenance } = (value ?? {}) as {
    suite?: { id?: unknown };
    limited?: unknown;
    provenance?: { arguments?: { resolved?: { limit?: unknown } } };
  };
  if (typeof suite?.id !== 'string') return undefined;
  const limit = limited === true ? Number(provenance?.arguments?.resolved?.limit) : undefined;
  return { suite: suite.id, ...(limit === undefined ? {} : { limit }) };
}

/**
 * @throws UserError when the folder holds results of another suite, or of this one at another size: full results would
 * be replaced by limited ones, or stand beside them.
 */
export async function checkOwner(out: string, owner: FolderOwner): Promise<void> {
  for (const file of await resultFiles(out)) {
    const found = ownerOf(await readJson(file, 'result').catch(() => undefined));
    if (!found || (found.suite === owner.suite && found.limit === owner.limit)) continue;
    throw new UserError(
      `--out ${out}: expected an empty folder or results of ${named(owner)}; found results of ${named(found)}: ` +
        'name another --out, or move them away.',
    );
  }
}
