/** @file Latents of every method with what drives them: the data of the HTML report's browser of latents. */
import type { ResultLatent, ResultLatents } from '../../harness/schema/latents.generated.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { scriptJson } from '../escape.ts';
import { groupBy } from '../group-by.ts';
import type { Place } from '../overview/places.ts';
import { resultsAt } from '../plots/parts.ts';
import { kindOf } from './table-view.ts';

export interface LatentView extends ResultLatent {
  /** Which items its examples are from. */
  from: string;
}

export interface LatentPlace {
  title: string;
  images: Record<string, string>;
  methods: { name: string; kind: string; seed: number; latents: LatentView[]; rules: string[]; logits?: string }[];
}

/** Of the page, in bytes: the most, and what they may have however large the rest is. */
const MOST_BYTES = 900_000;
const LEAST_BYTES = 400_000;
/** Latents of a method that are tried, until all fits. */
const NUMBERS = [100, 60, 40, 30, 20, 15, 10, 6, 3, 1];

/** Of methods. */
const ORDER = ['sae', 'baseline', 'control'];

const KINDS = ['concept', 'score', 'random'] as const;

/** The MS scores of all latents, where a result tells them. */
function msOf(results: readonly Result[]): unknown[] {
  for (const { details } of results) {
    const { latents } = (details ?? {}) as { latents?: { ms?: unknown } };
    if (Array.isArray(latents?.ms)) return latents.ms;
  }
  return [];
}

/** What several tasks show of a latent as one, the first one's examples. */
function joined([first, ...others]: readonly LatentView[], ms: readonly unknown[]): LatentView {
  const concepts = [first!, ...others].flatMap((each) => each.concepts ?? []);
  const scores = [first!, ...others].map((each) => each.ms ?? ms[each.latent]);
  const score = first!.sign === 1 ? scores.find((each) => typeof each === 'number') : undefined;
  return {
    ...first!,
    ...(concepts.length > 0 ? { concepts } : {}),
    ...(score === undefined ? {} : { ms: Number((score as number).toPrecision(4)) }),
  };
}

/** One of each kind in turn, so that whatever number is shown has of all. */
function inTurn(latents: readonly LatentView[]): LatentView[] {
  const kinds = KINDS.map((kind) => latents.filter(({ why }) => why === kind));
  const most = Math.max(...kinds.map(({ length }) => length));
  return Array.from({ length: most }, (_, i) => kinds.flatMap((own) => own[i] ?? [])).flat();
}

/** Of the first seed that shows any: another seed's latents are others. */
function methodView(results: readonly Result[]) {
  const shown = results.filter(({ latents }) => latents && latents.latents.length > 0);
  if (shown.length === 0) return undefined;
  const seed = Math.min(...shown.map((result) => result.seed));
  const own = shown.filter((result) => result.seed === seed);
  const told = own.map(({ latents }) => latents as ResultLatents);
  const all = told.flatMap(({ from, latents }) => latents.map((each): LatentView => ({ ...each, from })));
  const ms = msOf(results.filter((result) => result.seed === seed));
  const latents = groupBy(all, ({ latent, sign }) => `${latent} ${sign}`).map((same) => joined(same, ms));
  const { method } = own[0]!;
  const logits = told.find((each) => each.logits !== undefined)?.logits;
  return {
    ...{ name: method.name, kind: kindOf(method, method.control), seed, latents: inTurn(latents) },
    rules: [...new Set(told.map(({ rule }) => rule))],
    ...(logits === undefined ? {} : { logits }),
    images: Object.assign({}, ...told.map(({ images = {} }) => images)) as Record<string, string>,
  };
}

type MethodView = NonNullable<ReturnType<typeof methodView>>;

/** A place with at most so many latents of each method, and the pictures that those need. */
function cutTo(most: number, title: string, methods: readonly MethodView[]): LatentPlace {
  const shown = methods.map(({ images: _images, ...method }) => ({
    ...method,
    latents: method.latents.slice(0, most),
  }));
  const items = new Set(
    shown.flatMap(({ latents }) => latents.flatMap(({ examples }) => examples.map(({ item }) => item))),
  );
  const images = Object.assign({}, ...methods.map((method) => method.images)) as Record<string, string>;
  return {
    title,
    images: Object.fromEntries(Object.entries(images).filter(([id]) => items.has(id))),
    methods: shown,
  };
}

/**
 * The latents of all places, as many of each method as the page has room for; `cut` says so where those are not all.
 *
 * @param room In bytes, what the page may still have.
 */
export function latentPlaces(
  places: readonly Place[],
  results: readonly Result[],
  room = MOST_BYTES,
): { places: LatentPlace[]; cut?: string } {
  const views = places.flatMap((place) => {
    const methods = groupBy(resultsAt(place, results), ({ method }) => method.name).flatMap(
      (own) => methodView(own) ?? [],
    );
    methods.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    return methods.length > 0 ? [{ title: `${place.subject.id}, ${place.site.name}`, methods }] : [];
  });
  const largest = Math.max(0, ...views.flatMap(({ methods }) => methods.map(({ latents }) => latents.length)));
  const allowed = Math.max(LEAST_BYTES, Math.min(MOST_BYTES, room));
  for (const most of NUMBERS) {
    const found = views.map(({ title, methods }) => cutTo(most, title, methods));
    if (Buffer.byteLength(scriptJson(found)) > allowed && most > 1) continue;
    const cut = `At most ${most} of each method are here; the result files have up to ${largest}.`;
    return { places: found, ...(most < largest ? { cut } : {}) };
  }
  return { places: [] };
}
