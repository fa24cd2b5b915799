/** @file What an SAE variant from outside returns: start values, codes, reconstructions, losses, directions. */

import type { Codes, SaeDefinition, SaeLoss, SaeShape } from '../contract/sae.ts';
import type { NamedTensors, Tensor2D } from '../num/tf.ts';
import { type Author, checkedSync, demand, functionsOf, isRecord, isTensor, kindOf, refuse } from './expect.ts';
import { requireCodes, requireFiniteTensor, requireNamed, requireTensor } from './tensors.ts';

/** Those that `changed` names are among `known`, of the same shapes. */
function requireKnown(author: Author, name: string, changed: unknown, known: NamedTensors): void {
  demand(author, name, isRecord(changed), 'tensors by name', changed);
  for (const [key, tensor] of Object.entries(changed as NamedTensors)) {
    const old = known[key];
    if (!old) refuse(author, name, `names among ${Object.keys(known).join(', ')}`, `'${key}'`);
    requireTensor(author, `${name}.${key}`, tensor, old.shape);
  }
}

/** That each mask belongs to a param and broadcasts to its shape. */
function requireMasks(author: Author, name: string, masks: unknown, params: NamedTensors): void {
  demand(author, name, isRecord(masks), 'masks by name of a param', masks);
  for (const [key, mask] of Object.entries(masks as NamedTensors)) {
    const param = params[key];
    if (!param) refuse(author, name, `names among ${Object.keys(params).join(', ')}`, `'${key}'`);
    const fits =
      isTensor(mask) &&
      mask.shape.length <= param.shape.length &&
      mask.shape.every((size, i) => [1, param.shape.at(i - mask.shape.length)].includes(size));
    demand(author, `${name}.${key}`, fits, `a tensor that broadcasts to [${param.shape.join(', ')}]`, mask);
  }
}

function requireLoss(author: Author, value: SaeLoss, target: Tensor2D, d_sae: number): void {
  demand(author, 'loss', isRecord(value), 'total, parts, codes and reconstruction', value);
  requireTensor(author, 'loss: total', value.total, []);
  demand(author, 'loss: parts', isRecord(value.parts), 'scalars by name', value.parts);
  for (const [key, part] of Object.entries(value.parts)) requireTensor(author, `loss: parts.${key}`, part, []);
  const { carry = {} } = value;
  const numbers = isRecord(carry) && Object.values(carry).every(Number.isFinite);
  demand(author, 'loss: carry', numbers, 'finite numbers by name', carry);
  requireCodes(author, 'loss: codes', value.codes, target.shape[0], d_sae);
  requireTensor(author, 'loss: reconstruction', value.reconstruction, target.shape);
}

/**
 * A variant from outside with every result checked against the sizes of one dictionary; our own are given back as they
 * are. Codes and reconstructions of inference are looked through for NaN, those of training by its loss.
 */
export function checkedSae<H>(definition: SaeDefinition<H>, { d_in, d_sae, d_out }: SaeShape): SaeDefinition<H> {
  if (definition.source === undefined) return definition;
  const author: Author = { file: definition.source };
  const sync = <A extends unknown[], R>(name: string, fn: (...args: A) => R, check: (value: R, ...args: A) => void) =>
    checkedSync(author, name, definition, fn, check);
  /** Rows of another grid have as many times the numbers and latents; of other variants there are none. */
  const gridOf = (ratio: number) => (definition.resolutionFree ? ratio : 1);
  const there = new Set(
    functionsOf(author, definition, ['skip', 'beforeStep', 'afterStep', 'restart', 'toInference', 'foldScale', 'macs']),
  );
  const finiteCodes = ({ kind: _, ...parts }: Codes) => requireFiniteTensor(author, 'encode: values', parts.values);
  return {
    ...definition,
    init: sync('init', definition.init, (value) => {
      demand(author, 'init', isRecord(value), 'params and buffers', value);
      requireNamed(author, 'init: params', value.params);
      demand(author, 'init: params', Object.keys(value.params).length > 0, 'one tensor or more', value.params);
      if (value.buffers !== undefined) requireNamed(author, 'init: buffers', value.buffers);
    }),
    encode: sync('encode', definition.encode, (codes, _params, x) => {
      requireCodes(author, 'encode', codes, x.shape[0], d_sae * gridOf(x.shape[1] / d_in));
      finiteCodes(codes);
    }),
    decode: sync('decode', definition.decode, (value, _params, codes) => {
      const width = codes.kind === 'topk' ? codes.d_sae : codes.values.shape[1];
      requireTensor(author, 'decode', value, [codes.values.shape[0], d_out * gridOf(width / d_sae)]);
      requireFiniteTensor(author, 'decode', value);
    }),
    loss: sync('loss', definition.loss, (value, _params, { target }) => requireLoss(author, value, target, d_sae)),
    directions: sync('directions', definition.directions, (value) => {
      requireTensor(author, 'directions', value, [d_sae, d_out]);
      requireFiniteTensor(author, 'directions', value);
    }),
    ...(there.has('skip') && {
      skip: sync('skip', definition.skip!, (value, _params, x) => {
        requireTensor(author, 'skip', value, [x.shape[0], d_out]);
        requireFiniteTensor(author, 'skip', value);
      }),
    }),
    ...(there.has('beforeStep') && {
      beforeStep: sync('beforeStep', definition.beforeStep!, (value, grads) =>
        requireKnown(author, 'beforeStep', value, grads),
      ),
    }),
    ...(there.has('afterStep') && {
      afterStep: sync('afterStep', definition.afterStep!, (value, params) =>
        requireKnown(author, 'afterStep', value, params),
      ),
    }),
    ...(there.has('restart') && {
      restart: sync('restart', definition.restart!, (value, params) => {
        if (value === undefined) return;
        demand(author, 'restart', isRecord(value), 'params and forget, or nothing', value);
        requireKnown(author, 'restart: params', value.params, params);
        requireMasks(author, 'restart: forget', value.forget, params);
      }),
    }),
    ...(there.has('toInference') && {
      toInference: sync('toInference', definition.toInference!, (value) => requireNamed(author, 'toInference', value)),
    }),
    ...(there.has('foldScale') && {
      foldScale: sync('foldScale', definition.foldScale!, (value) => requireNamed(author, 'foldScale', value)),
    }),
    ...(there.has('macs') && {
      macs: sync('macs', definition.macs!, (value) => {
        const { encode, decode } = isRecord(value) ? value : {};
        const counts = [encode, decode].every((count) => Number.isFinite(count) && Number(count) >= 0);
        demand(author, 'macs', counts, 'encode and decode, numbers of 0 or more', value);
      }),
    }),
    ...(definition.toSaeLens && {
      toSaeLens: sync('toSaeLens', definition.toSaeLens, (value) => {
        demand(author, 'toSaeLens', isRecord(value) && isRecord(value.cfg), 'architecture, cfg and tensors', value);
        const { architecture } = value;
        if (typeof architecture !== 'string') refuse(author, 'toSaeLens: architecture', 'a name', kindOf(architecture));
        demand(author, 'toSaeLens: tensors', !isTensor(value.tensors), 'tensors by name', value.tensors);
        requireNamed(author, 'toSaeLens: tensors', value.tensors);
      }),
    }),
  };
}
