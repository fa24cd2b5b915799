/** @file What a dataset from outside returns: items, concepts with examples, prompts, judgements, embeddings. */
import type {
  AttributePair,
  ConceptSet,
  Dataset,
  DatasetDefinition,
  GroundTruth,
  Item,
  KnownManifolds,
  RawImage,
  Site,
  Split,
  SteeringPrompt,
  TextJudge,
  TextPairing,
  ZeroShotTask,
} from '../contract/data.ts';
import {
  type Author,
  checkedAsync,
  checkedSync,
  demand,
  functionsOf,
  isRecord,
  kindOf,
  refuse,
  requireFinite,
} from './expect.ts';

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown) => isText(value) && value !== '';

/** The list, each of whose entries has an id of its own. */
function requireIds(author: Author, name: string, value: unknown): readonly Record<string, unknown>[] {
  demand(author, name, Array.isArray(value), 'a list', value);
  const list = value as Record<string, unknown>[];
  const seen = new Set<unknown>();
  for (const [i, entry] of list.entries()) {
    demand(author, `${name}[${i}]`, isRecord(entry), 'an object', entry);
    demand(author, `${name}[${i}].id`, isName(entry['id']), 'a text', entry['id']);
    if (seen.has(entry['id'])) refuse(author, `${name}[${i}].id`, 'one of its own', `${kindOf(entry['id'])} twice`);
    seen.add(entry['id']);
  }
  return list;
}

function requireImage(author: Author, name: string, image: unknown): void {
  demand(author, name, isRecord(image), '{ path } or { width, height, data }', image);
  if ('path' in (image as object)) {
    const { path } = image as { path: unknown };
    demand(author, `${name}.path`, isName(path), 'a path', path);
    return;
  }
  const { width, height, data } = image as RawImage;
  const sides = [width, height].every((side) => Number.isInteger(side) && side > 0);
  demand(author, name, sides, 'a width and a height', image);
  const whole = data instanceof Uint8Array && data.length === 3 * width * height;
  demand(author, `${name}.data`, whole, `Uint8Array of ${3 * width * height}, 3 × ${width} × ${height}`, data);
}

function requireItems(author: Author, name: string, value: unknown, modality: Dataset['modality']): void {
  for (const [i, entry] of requireIds(author, name, value).entries()) {
    const at = `${name}[${i}]`;
    const {
      text,
      image,
      caption,
      spans = [],
      concepts = [],
      generatorNats = 0,
      responseStart = 0,
    } = entry as unknown as Item;
    if (modality === 'image') requireImage(author, `${at}.image`, image);
    demand(author, `${at}.text`, isText(text) || (text === undefined && modality !== 'text'), 'a text', text);
    demand(author, `${at}.caption`, caption === undefined || isText(caption), 'a text', caption);
    demand(author, `${at}.concepts`, Array.isArray(concepts) && concepts.every(isText), 'a list of ids', concepts);
    const length = text?.length ?? 0;
    const start = Number.isInteger(responseStart) && responseStart >= 0 && responseStart <= length;
    demand(author, `${at}.responseStart`, start, `a place in the text's ${length} characters`, responseStart);
    demand(author, `${at}.generatorNats`, Number.isFinite(generatorNats), 'a finite number', generatorNats);
    const places =
      Array.isArray(spans) &&
      spans.every((span) => isText(span?.concept) && span.start >= 0 && span.start <= span.end && span.end <= length);
    demand(author, `${at}.spans`, places, `{ start, end, concept } within ${length} characters`, spans);
  }
}

function requireConcepts(author: Author, set: ConceptSet, modality: Dataset['modality']): void {
  demand(author, 'concepts', isRecord(set), '{ concepts, items, examples }', set);
  const labels = requireIds(author, 'concepts: concepts', set.concepts);
  for (const [i, { label }] of labels.entries()) {
    demand(author, `concepts: concepts[${i}].label`, isName(label), 'a text', label);
  }
  requireItems(author, 'concepts: items', set.items, modality);
  demand(author, 'concepts: examples', Array.isArray(set.examples), 'a list', set.examples);
  const splits = new Map<string, Split>();
  for (const [i, example] of set.examples.entries()) {
    const at = `concepts: examples[${i}]`;
    const { concept, item, split, role } = (isRecord(example) ? example : {}) as Partial<typeof example>;
    const within = (index: unknown, list: readonly unknown[]) =>
      Number.isInteger(index) && list[index as number] !== undefined;
    demand(author, `${at}.concept`, within(concept, labels), `an index below ${labels.length}`, concept);
    demand(author, `${at}.item`, within(item, set.items), `an index below ${set.items.length}`, item);
    demand(author, `${at}.split`, split === 'train' || split === 'eval', "'train' or 'eval'", split);
    const roles = ['positive', 'negative', 'hard-negative'];
    demand(author, `${at}.role`, roles.includes(role as string), roles.join(', '), role);
    const pair = `${concept} ${item}`;
    if ((splits.get(pair) ?? split) === split) splits.set(pair, split!);
    else refuse(author, at, 'each item in one split of a concept', `item ${item} in both of concept ${concept}`);
  }
}

/** Pairs of items; that their labels differ in the one attribute, the task that reads them says. */
function requirePairs(author: Author, pairs: readonly AttributePair[], modality: Dataset['modality']): void {
  demand(author, 'attributePairs', Array.isArray(pairs), 'a list', pairs);
  for (const [i, pair] of pairs.entries()) {
    const at = `attributePairs[${i}]`;
    demand(author, at, isRecord(pair), '{ attribute, before, after }', pair);
    demand(author, `${at}.attribute`, isName(pair.attribute), 'a text', pair.attribute);
    requireItems(author, `${at}: before, after`, [pair.before, pair.after], modality);
    for (const { id, labels } of [pair.before, pair.after]) {
      demand(author, `${at}: labels of ${id}`, isRecord(labels), '{ attribute: value }', labels);
    }
  }
}

function checkedJudge(author: Author, judge: TextJudge): TextJudge {
  demand(author, 'judge', isRecord(judge), '{ description, concept, instruction }', judge);
  const there = functionsOf(author, judge, ['concept', 'instruction', 'ready'], 'judge.');
  demand(
    author,
    'judge',
    there.includes('concept') && there.includes('instruction'),
    'both concept and instruction',
    judge,
  );
  const scored = (name: string) => (score: number) =>
    demand(author, name, score >= 0 && score <= 2, 'a score of 0, 1 or 2', score);
  return {
    description: judge.description,
    ...(there.includes('ready') && {
      ready: checkedAsync(author, 'judge.ready', judge, judge.ready!, () => {}),
    }),
    concept: checkedSync(author, 'judge.concept', judge, judge.concept, scored('judge.concept')),
    instruction: checkedSync(author, 'judge.instruction', judge, judge.instruction, scored('judge.instruction')),
  };
}

/** Partners are texts without the concept that nothing was fitted on. */
function checkedPairing(author: Author, pairing: TextPairing): TextPairing {
  const described = isRecord(pairing) && isName(pairing.description);
  demand(author, 'pairing', described, '{ description, partners? }', pairing);
  const there = functionsOf(author, pairing, ['partners'], 'pairing.');
  return {
    description: pairing.description,
    ...(there.includes('partners') && {
      partners: checkedSync(author, 'pairing.partners', pairing, pairing.partners!, (places, set, concept) => {
        const own = set.examples.filter((example) => example.concept === concept);
        const used = new Set(
          own.filter(({ split, role }) => split === 'train' || role === 'positive').map(({ item }) => item),
        );
        const within = Array.isArray(places) && places.every((place) => set.items[place] !== undefined);
        demand(author, 'pairing.partners', within, `a list of indices below ${set.items.length}`, places);
        const other = places.every((place) => !used.has(place));
        demand(author, 'pairing.partners', other, 'no training item and no positive of the concept', places);
      }),
    }),
  };
}

function checkedZeroShot(author: Author, tasks: readonly ZeroShotTask[]): ZeroShotTask[] {
  return requireIds(author, 'zeroShot', tasks).map((entry, i) => {
    const task = entry as unknown as ZeroShotTask;
    const at = `zeroShot[${i}]`;
    const told = ({ label, prompts }: ZeroShotTask['classes'][number]) =>
      isName(label) && Array.isArray(prompts) && prompts.length > 0 && prompts.every(isText);
    const classes = Array.isArray(task.classes) && task.classes.every((each) => isRecord(each) && told(each));
    demand(author, `${at}.classes`, classes, 'a list of { label, prompts }', task.classes);
    const there = functionsOf(author, task, ['classOf'], `${at}.`);
    demand(author, `${at}.classOf`, there.length === 1, 'a function', task.classOf);
    const classOf = checkedSync(author, `${at}.classOf`, task, task.classOf, (index) => {
      const within = index === undefined || (Number.isInteger(index) && index >= 0 && index < task.classes.length);
      demand(author, `${at}.classOf`, within, `an index below ${task.classes.length} or undefined`, index);
    });
    return { ...task, classOf };
  });
}

type Grids = NonNullable<NonNullable<Dataset['activations']>['grids']>;

/** Of whole numbers above 0; else NaN. */
const product = (sizes: readonly unknown[]) =>
  sizes.reduce<number>(
    (all, size) => (Number.isInteger(size) && (size as number) > 0 ? all * (size as number) : NaN),
    1,
  );

/** The rows that a dataset of vectors gives in place of a subject. */
function checkedActivations(author: Author, value: Dataset['activations']): NonNullable<Dataset['activations']> {
  const { site, rows, grids } = (isRecord(value) ? value : {}) as Partial<NonNullable<Dataset['activations']>>;
  const whole =
    isRecord(site) &&
    isName(site.name) &&
    Number.isInteger(site.d) &&
    site.d > 0 &&
    site.modality === 'vectors' &&
    site.kind === 'pooled' &&
    typeof rows === 'function';
  const shaped = site?.input === undefined || (Array.isArray(site.input) && product(site.input) === site.d);
  demand(author, 'open: activations.site.input', shaped, `whole numbers whose product is ${site?.d}`, site?.input);
  demand(author, 'open: activations', whole, "{ site, rows } with a pooled site of 'vectors'", value);
  return {
    site: site!,
    rows: checkedAsync(author, 'activations.rows', value!, rows!, (x, items) => {
      const size = items.length * site!.d;
      demand(author, 'activations.rows', x instanceof Float32Array && x.length === size, `Float32Array of ${size}`, x);
      requireFinite(author, 'activations.rows', x);
    }),
    ...(grids !== undefined && { grids: checkedGrids(author, grids, site!) }),
  };
}

/** The same rows on other grids. */
function checkedGrids(author: Author, grids: Grids, { d, input }: Site): Grids {
  const at = 'open: activations.grids';
  demand(author, at, isRecord(grids) && input?.length === 2, '{ points, rows } of functions [C, N]', grids);
  const { points, rows } = grids;
  const counts = Array.isArray(points) && points.every((count) => Number.isInteger(count) && count > 0);
  demand(author, `${at}.points`, counts, 'a list of numbers of points', points);
  demand(author, `${at}.rows`, typeof rows === 'function', 'a function', rows);
  return {
    points,
    rows: checkedAsync(author, 'activations.grids.rows', grids, rows, (x, items, asked) => {
      const size = (items.length * d * asked) / input!.at(-1)!;
      const whole = x instanceof Float32Array && x.length === size;
      demand(author, 'activations.grids.rows', whole, `Float32Array of ${size}`, x);
      requireFinite(author, 'activations.grids.rows', x);
    }),
  };
}

/** Whether codes are as `Csr` says, with values above 0: tasks read past the end of others, or a feature twice. */
function areFeatures({ indptr, indices, values }: ReturnType<GroundTruth['of']>, features: number): boolean {
  const starts = new Set(indptr);
  const rises = (feature: number, i: number) => starts.has(i) || feature > indices[i - 1]!;
  return (
    indptr[0] === 0 &&
    indptr.every((start, row) => row === 0 || start >= indptr[row - 1]!) &&
    indptr.at(-1) === indices.length &&
    values.length === indices.length &&
    indices.every((feature, i) => feature < features && rises(feature, i)) &&
    values.every((value) => value > 0)
  );
}

/** Directions and features of items, as tasks index them; `d` is the width of the dataset's own rows. */
function checkedTruth(author: Author, truth: GroundTruth, d: number | undefined): GroundTruth {
  demand(author, 'open: groundTruth', isRecord(truth), '{ features, directions, of }', truth);
  const { features, parents } = truth;
  demand(author, 'groundTruth.features', Number.isInteger(features) && features > 0, 'a whole number', features);
  const within = (parent: number, i: number) => parent >= -1 && parent < features && parent !== i;
  const known =
    parents === undefined ||
    (parents instanceof Int32Array && parents.length === features && parents.every((parent, i) => within(parent, i)));
  demand(author, 'groundTruth.parents', known, `Int32Array of ${features}, each a feature or −1`, parents);
  return {
    features,
    ...(parents && { parents }),
    directions: checkedAsync(author, 'groundTruth.directions', truth, truth.directions, (data) => {
      const size = data?.length ?? 0;
      const fits = d === undefined ? size > 0 && size % features === 0 : size === features * d;
      const whole = data instanceof Float32Array && fits;
      demand(author, 'groundTruth.directions', whole, `Float32Array [${features}, ${d ?? 'd_in'}]`, data);
      requireFinite(author, 'groundTruth.directions', data);
    }),
    of: checkedSync(author, 'groundTruth.of', truth, truth.of, (codes, items) => {
      const whole = codes?.n === items.length && codes.d_sae === features && codes.indptr?.length === codes.n + 1;
      demand(author, 'groundTruth.of', whole, `rows of ${items.length} items over ${features} features`, codes);
      demand(author, 'groundTruth.of', areFeatures(codes, features), 'ascending features with values above 0', codes);
    }),
  };
}

/** Manifolds with dimensions, and which of them an item lies on. */
function checkedManifolds(author: Author, value: KnownManifolds): KnownManifolds {
  const { list, of } = (isRecord(value) ? value : {}) as Partial<KnownManifolds>;
  const told = (entry: unknown) => isRecord(entry) && isName(entry['name']) && Number.isInteger(entry['dimension']);
  const whole = Array.isArray(list) && list.length > 0 && list.every(told) && typeof of === 'function';
  demand(author, 'open: manifolds', whole, '{ list of { name, dimension }, of }', value);
  return {
    list: list!,
    of: checkedSync(author, 'manifolds.of', value, of!, (index) =>
      demand(author, 'manifolds.of', list![index] !== undefined, `an index below ${list!.length}`, index),
    ),
  };
}

function requirePrompts(author: Author, what: string, prompts: SteeringPrompt[]): void {
  for (const [i, { text }] of requireIds(author, what, prompts).entries()) {
    demand(author, `${what}[${i}].text`, isText(text), 'a text', text);
  }
}

/** An opened dataset with every result checked; what was given in one split may not come in the other. */
function checkedDataset(author: Author, dataset: Dataset, modality: Dataset['modality']): Dataset {
  demand(author, 'open', isRecord(dataset), 'a dataset', dataset);
  const { id, fingerprint, notes, privateItems, groundTruth, judge, pairing, zeroShot } = dataset;
  demand(author, 'open: id', isName(id), 'a text', id);
  demand(author, 'open: modality', dataset.modality === modality, `'${modality}'`, dataset.modality);
  demand(author, 'open: fingerprint', isName(fingerprint), 'a hash of the content', fingerprint);
  const noted = notes === undefined || (Array.isArray(notes) && notes.every((note) => typeof note === 'string'));
  demand(author, 'open: notes', noted, 'a list of texts', notes);
  const isFlag = privateItems === undefined || typeof privateItems === 'boolean';
  demand(author, 'open: privateItems', isFlag, 'true or false', privateItems);
  const there = new Set(
    functionsOf(author, dataset, ['corpus', 'concepts', 'prompts', 'conceptPrompts', 'embed', 'attributePairs']),
  );
  demand(author, 'open: corpus', there.has('corpus'), 'a function', dataset.corpus);
  const given: Record<'train' | 'test', Set<string>> = { train: new Set(), test: new Set() };
  return {
    id,
    modality,
    fingerprint,
    ...(notes && { notes }),
    ...(privateItems && { privateItems }),
    corpus: checkedAsync(author, 'corpus', dataset, dataset.corpus, (items, split) => {
      requireItems(author, 'corpus', items, modality);
      const other = given[split === 'train' ? 'test' : 'train'];
      for (const item of items) {
        if (other.has(item.id))
          refuse(author, 'corpus', 'splits without an item in common', `${kindOf(item.id)} in both`);
        given[split].add(item.id);
      }
    }),
    ...(there.has('concepts') && {
      concepts: checkedAsync(author, 'concepts', dataset, dataset.concepts!, (set) =>
        requireConcepts(author, set, modality),
      ),
    }),
    ...(there.has('prompts') && {
      prompts: checkedAsync(author, 'prompts', dataset, dataset.prompts!, (prompts) =>
        requirePrompts(author, 'prompts', prompts),
      ),
    }),
    ...(there.has('conceptPrompts') && {
      conceptPrompts: checkedAsync(author, 'conceptPrompts', dataset, dataset.conceptPrompts!, (prompts, _, n) => {
        requirePrompts(author, 'conceptPrompts', prompts);
        demand(author, 'conceptPrompts', prompts.length === n, `${n} prompts`, `${prompts.length}`);
      }),
    }),
    ...(there.has('attributePairs') && {
      attributePairs: checkedAsync(author, 'attributePairs', dataset, dataset.attributePairs!, (pairs) =>
        requirePairs(author, pairs, modality),
      ),
    }),
    ...(there.has('embed') && {
      embed: checkedAsync(author, 'embed', dataset, dataset.embed!, (value, items) => {
        const { data, dim, description } = (isRecord(value) ? value : {}) as Partial<typeof value>;
        const size = items.length * (dim ?? 0);
        const whole =
          data instanceof Float32Array && Number.isInteger(dim) && data.length === size && isText(description);
        demand(author, 'embed', whole, `{ data, dim, description } with ${items.length} × dim numbers`, value);
        requireFinite(author, 'embed: data', data!);
      }),
    }),
    ...(modality === 'vectors' && { activations: checkedActivations(author, dataset.activations) }),
    ...(dataset.manifolds !== undefined && { manifolds: checkedManifolds(author, dataset.manifolds) }),
    ...(groundTruth !== undefined && { groundTruth: checkedTruth(author, groundTruth, dataset.activations?.site.d) }),
    ...(zeroShot !== undefined && { zeroShot: checkedZeroShot(author, zeroShot) }),
    ...(judge !== undefined && { judge: checkedJudge(author, judge) }),
    ...(pairing !== undefined && { pairing: checkedPairing(author, pairing) }),
  };
}

/** A dataset plug-in from outside with what it opens checked. */
export function checkedDatasetPlugin(definition: DatasetDefinition, file: string): DatasetDefinition {
  const author: Author = { file };
  const open = checkedAsync(author, 'open', definition, definition.open, () => {});
  return {
    ...definition,
    open: async (options, context) => checkedDataset(author, await open(options, context), definition.modality),
  };
}
