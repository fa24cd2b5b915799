/** @file What a baseline from outside returns: its state, and the method that it restores. */

import type { Item } from '../contract/data.ts';
import type {
  BaselineDefinition,
  CollectedItems,
  ConceptDetector,
  FittedMethod,
  FittedState,
} from '../contract/methods.ts';
import type { LinearLayer, SubjectChange } from '../contract/subject.ts';
import type { Tensor2D } from '../num/tf.ts';
import {
  type Author,
  checkedAsync,
  checkedSync,
  demand,
  functionsOf,
  isRecord,
  refuse,
  requireFinite,
} from './expect.ts';
import { requireCodes, requireFiniteTensor, requireTensor } from './tensors.ts';

/** Deviation of a unit vector's length that single precision and its author's arithmetic explain. */
const UNIT_TOLERANCE = 1e-3;

/** Names of linear layers. */
const LINEAR_LAYERS: readonly LinearLayer[] = ['q', 'k', 'v', 'out', 'gate', 'up', 'down'];

/** Named arrays whose shapes have as many entries as they. */
export function requireArrays(
  author: Author,
  name: string,
  value: unknown,
  kinds: readonly (Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor)[],
): void {
  demand(author, name, isRecord(value), '{ shape, data } by name', value);
  for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
    const at = `${name}.${key}`;
    demand(author, at, isRecord(entry), '{ shape, data }', entry);
    const { shape, data } = entry as { shape: number[]; data: Float32Array };
    const names = kinds.map((kind) => kind.name).join(' or ');
    demand(
      author,
      `${at}.data`,
      kinds.some((kind) => data instanceof kind),
      names,
      data,
    );
    const sizes = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0);
    demand(author, `${at}.shape`, sizes, 'a list of sizes', shape);
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== data.length) refuse(author, at, `${size} values, as its shape [${shape}] has`, String(data.length));
    requireFinite(author, at, data);
  }
}

function requireState(author: Author, state: FittedState): void {
  demand(author, 'fit', isRecord(state), '{ tensors, json }', state);
  requireArrays(author, 'fit: tensors', state.tensors, [Float32Array]);
  const marks: unknown = state.marks ?? [];
  const told = (mark: unknown) =>
    isRecord(mark) && typeof mark['code'] === 'string' && typeof mark['message'] === 'string';
  demand(author, 'fit: marks', Array.isArray(marks) && marks.every(told), 'a list of { code, message }', marks);
}

/** Rows of unit length or of zeros. */
function requireUnitRows(author: Author, name: string, value: unknown, rows: number, width: number): void {
  const whole = value instanceof Float32Array && value.length === rows * width;
  demand(author, name, whole, `Float32Array of ${rows * width}: ${rows} × ${width}`, value);
  const values = value as Float32Array;
  requireFinite(author, name, values);
  for (let row = 0; row < rows; row++) {
    let square = 0;
    for (let j = row * width; j < (row + 1) * width; j++) square += values[j]! ** 2;
    const length = Math.sqrt(square);
    if (length === 0 || Math.abs(length - 1) <= UNIT_TOLERANCE) continue;
    refuse(author, name, 'rows of length 1', `row ${row} of length ${length.toPrecision(4)}`);
  }
}

/** Interventions at sites and additions to layers; what they give is checked by the pass that they run in. */
function requireChange(author: Author, change: SubjectChange): void {
  const name = 'detector.intervene';
  demand(author, name, isRecord(change), '{ interventions, additions }', change);
  const listed = (values: unknown, ok: (entry: Record<string, unknown>) => boolean) =>
    values === undefined ||
    (Array.isArray(values) &&
      values.every((entry) => isRecord(entry) && typeof entry['apply'] === 'function' && ok(entry)));
  const { interventions, additions } = change;
  const atSites = listed(interventions, ({ site }) => typeof site === 'string');
  demand(author, `${name}: interventions`, atSites, 'a list of { site, apply }', interventions);
  const toLayers = listed(
    additions,
    ({ block, layer }) => Number.isInteger(block) && LINEAR_LAYERS.includes(layer as LinearLayer),
  );
  demand(
    author,
    `${name}: additions`,
    toLayers,
    `a list of { block, layer, apply }, layer ${LINEAR_LAYERS.join(', ')}`,
    additions,
  );
  if (!interventions?.length && !additions?.length) refuse(author, name, 'an intervention or an addition', 'neither');
}

function checkedDetector(author: Author, detector: ConceptDetector | undefined, d_in: number) {
  if (detector === undefined) return undefined;
  demand(
    author,
    'detector',
    isRecord(detector),
    '{ score, scoreItem, scoreItems, direction, intervene } or undefined',
    detector,
  );
  const there = functionsOf(author, detector, ['score', 'scoreItem', 'scoreItems', 'intervene'], 'detector.');
  const { direction } = detector;
  if (direction !== undefined) requireUnitRows(author, 'detector.direction', direction, 1, d_in);
  const score = (x: Tensor2D) => detector.score!(x);
  const scoreItem = (item: Item) => detector.scoreItem!(item);
  const scoreItems = (collected: CollectedItems, places: Uint32Array, signal?: AbortSignal) =>
    detector.scoreItems!(collected, places, signal);
  return {
    ...(direction && { direction }),
    ...(there.includes('intervene') && {
      intervene: checkedSync(
        author,
        'detector.intervene',
        detector,
        (strengths: readonly number[]) => detector.intervene!(strengths),
        (change) => requireChange(author, change),
      ),
    }),
    ...(there.includes('scoreItems') && {
      scoreItems: checkedAsync(author, 'detector.scoreItems', detector, scoreItems, (value, _collected, places) => {
        const whole = value instanceof Float32Array && value.length === places.length;
        demand(author, 'detector.scoreItems', whole, `Float32Array of ${places.length}, one an item`, value);
        requireFinite(author, 'detector.scoreItems', value);
      }),
    }),
    ...(there.includes('score') && {
      score: checkedSync(author, 'detector.score', detector, score, (value, x) => {
        requireTensor(author, 'detector.score', value, [x.shape[0]]);
        requireFiniteTensor(author, 'detector.score', value);
      }),
    }),
    ...(there.includes('scoreItem') && {
      scoreItem: checkedSync(author, 'detector.scoreItem', detector, scoreItem, (value, item) =>
        demand(author, `detector.scoreItem of '${item.id}'`, Number.isFinite(value), 'a finite number', value),
      ),
    }),
  };
}

/** A method that a plug-in restored, with every result checked. */
function checkedMethod(author: Author, method: FittedMethod, wanted: number): FittedMethod {
  demand(author, 'restore', isRecord(method), 'a fitted method', method);
  const { d_in, d_sae, sparse, labels } = method;
  demand(author, 'restore: d_in', d_in === wanted, String(wanted), d_in);
  demand(author, 'restore: sparse', typeof sparse === 'boolean', 'true or false', sparse);
  const there = functionsOf(
    author,
    method,
    ['encode', 'decode', 'directions', 'detector', 'write', 'ask', 'dispose'],
    'restore: ',
  );
  demand(author, 'restore: dispose', there.includes('dispose'), 'a function', method.dispose);
  const wide = there.includes('encode') || there.includes('directions');
  const count = Number.isInteger(d_sae) && d_sae! > 0;
  demand(author, 'restore: d_sae', count || (d_sae === undefined && !wide), 'a number of latents', d_sae);
  const width = d_sae ?? 0;
  return {
    d_in,
    ...(d_sae === undefined ? {} : { d_sae }),
    sparse,
    ...(labels && { labels }),
    dispose: () => method.dispose(),
    ...(there.includes('encode') && {
      encode: checkedSync(author, 'encode', method, method.encode!, (codes, x) => {
        requireCodes(author, 'encode', codes, x.shape[0], width);
        requireFiniteTensor(author, 'encode: values', codes.values);
      }),
    }),
    ...(there.includes('decode') && {
      decode: checkedSync(author, 'decode', method, method.decode!, (value, codes) => {
        requireTensor(author, 'decode', value, [codes.values.shape[0], d_in]);
        requireFiniteTensor(author, 'decode', value);
      }),
    }),
    ...(there.includes('directions') && {
      directions: checkedSync(author, 'directions', method, method.directions!, (value) =>
        requireUnitRows(author, 'directions', value, width, d_in),
      ),
    }),
    ...(there.includes('detector') && {
      detector: (concept) =>
        checkedDetector(author, checkedSync(author, 'detector', method, method.detector!, () => {})(concept), d_in),
    }),
    ...(there.includes('write') && {
      write: checkedSync(author, 'write', method, method.write!, (value, { id }) =>
        demand(author, `write of '${id}'`, typeof value === 'string', 'a text', value),
      ),
    }),
    ...(there.includes('ask') && {
      ask: checkedSync(author, 'ask', method, method.ask!, (value, { id }) =>
        demand(author, `ask of '${id}'`, typeof value === 'string', 'a text', value),
      ),
    }),
  };
}

/** A baseline from outside with what it fits and restores checked. */
export function checkedBaseline(definition: BaselineDefinition, file: string): BaselineDefinition {
  const author: Author = { file };
  const restore = checkedSync(author, 'restore', definition, definition.restore, () => {});
  return {
    ...definition,
    fit: checkedAsync(author, 'fit', definition, definition.fit, (state) => requireState(author, state)),
    restore: (state, context) => checkedMethod(author, restore(state, context), context.d_in),
  };
}
