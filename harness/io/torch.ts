/** @file Reading PyTorch checkpoints (.pt, .pth, .bin of torch.save since 1.6): tensors and plain values, by whitelist. */

import { UserError } from '../errors.ts';
import type { ElementArray, ElementType } from './elements.ts';
import { ELEMENT_BYTES, readElements, requireFinite } from './elements.ts';
import { withFile } from './open-file.ts';
import type { PickleGlobal, PickleRules, PickleValue } from './pickle.ts';
import { MAX_PICKLE_BYTES, readPickle } from './pickle.ts';
import type { ReadOptions } from './safetensors.ts';
import { elementCount, rowMajor, sameShape } from './strided.ts';
import type { ZipEntry } from './zip.ts';
import { readZipEntries, readZipEntry, storedContentAt } from './zip.ts';

/** An opened checkpoint; tensors are read on demand. */
export interface TorchFile {
  path: string;
  /** Names of the tensors; nested dicts are joined by dots. Sorted. */
  names: string[];
  /** The values that are not tensors: numbers, texts, booleans, null, by the same names. */
  values: Record<string, string | number | boolean | null>;
  /** @throws UserError for an unknown name. */
  info(name: string): { dtype: string; shape: number[] };
  /** All elements in row-major order; conversions as in safetensors. */
  read(name: string, options?: ReadOptions): Promise<ElementArray>;
}

interface Storage {
  key: string;
  type: ElementType;
  count: number;
}

interface TensorReference {
  storage: Storage;
  offset: number;
  shape: number[];
  stride: number[];
}

type Built = { storage: Storage } | { tensor: TensorReference };
type Value = PickleValue<Built>;

const STORAGES: ReadonlyMap<string, ElementType> = new Map([
  ['FloatStorage', 'F32'],
  ['DoubleStorage', 'F64'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
]);

/** Nothing else is ever referred to in a state dict; none of these is executed either. */
const CALLABLE = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch.Size',
  'torch.device',
]);

/** Deeper dicts, more entries and longer names are no checkpoint; all would be cheap to write and dear to read. */
const MAX_DEPTH = 16;
const MAX_VALUES = 1_000_000;
const MAX_NAME = 1024;
const MAX_NAMES = 64 * 1024 * 1024;

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 16 && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function rebuildTensor(args: Value[]): Built | undefined {
  const [holder, offset, shape, stride] = args;
  const storage = (holder as { storage?: Storage } | null)?.storage;
  if (storage === undefined || !isSizes(shape) || !isSizes(stride) || !isSizes([offset])) return undefined;
  return shape.length === stride.length ? { tensor: { storage, offset: offset as number, shape, stride } } : undefined;
}

const RULES: PickleRules<Built> = {
  allows: ({ module, name }) => CALLABLE.has(`${module}.${name}`) || (module === 'torch' && STORAGES.has(name)),
  call({ module, name }, args) {
    switch (`${module}.${name}`) {
      case 'collections.OrderedDict':
        return args.length === 0 ? new Map() : undefined;
      case 'torch._utils._rebuild_tensor_v2':
        return rebuildTensor(args);
      case 'torch._utils._rebuild_parameter':
        return args[0];
      case 'torch.Size':
        return args[0];
      case 'torch.device':
        return typeof args[0] === 'string' ? args[0] : undefined;
      default:
        return undefined;
    }
  },
  reference(id) {
    if (!Array.isArray(id)) return undefined;
    const [kind, global, key, , count] = id;
    const type = STORAGES.get((global as PickleGlobal | null)?.name ?? '');
    if (kind !== 'storage' || type === undefined || typeof key !== 'string' || !isSizes([count])) return undefined;
    return { storage: { key, type, count: count as number } };
  },
};

interface Flat {
  tensors: Map<string, TensorReference>;
  values: Record<string, string | number | boolean | null>;
}

/** Dicts and lists to dotted names. */
function flatten(root: Value, where: string): Flat {
  const flat: Flat = { tensors: new Map(), values: Object.create(null) };
  let visited = 0;
  let characters = 0;
  const visit = (value: Value, name: string, depth: number) => {
    visited += 1;
    if (depth > MAX_DEPTH || visited > MAX_VALUES) {
      throw new UserError(
        `${where}: expected at most ${MAX_DEPTH} levels and ${MAX_VALUES} values, found more at '${name.slice(0, 80)}'.`,
      );
    }
    characters += name.length;
    if (name.length > MAX_NAME || characters > MAX_NAMES) {
      throw new UserError(
        `${where}: expected names of at most ${MAX_NAME} characters, ${MAX_NAMES} in all, found more at '${name.slice(0, 80)}…'.`,
      );
    }
    const below = (key: Value | number) => {
      if (typeof key === 'object' && key !== null) throw new UserError(`${where}: a dict has a key that is no text.`);
      return name === '' ? String(key) : `${name}.${String(key)}`;
    };
    if (value instanceof Map) for (const [key, item] of value) visit(item, below(key), depth + 1);
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, below(i), depth + 1);
    else if (typeof value === 'object' && value !== null && 'tensor' in value)
      flat.tensors.set(name || 'tensor', value.tensor);
    else if (value === null || typeof value !== 'object') flat.values[name] = value;
  };
  visit(root, '', 0);
  return flat;
}

/** Elements that the tensor spans in its storage. */
function extent({ shape, stride }: TensorReference): number {
  return shape.includes(0) ? 0 : 1 + shape.reduce((total, n, axis) => total + (n - 1) * stride[axis]!, 0);
}

/** A tensor's shape must stay inside its storage, and the storage's content must be there. */
function checkTensor(tensor: TensorReference, entry: ZipEntry | undefined, where: string): ZipEntry {
  const { storage, offset, shape } = tensor;
  if (entry === undefined) throw new UserError(`${where}: its data '${storage.key}' are not in the archive.`);
  if (entry.size !== storage.count * ELEMENT_BYTES[storage.type]) {
    throw new UserError(
      `${where}: ${storage.count} elements of ${storage.type} expected, the data have ${entry.size} bytes.`,
    );
  }
  if (entry.method !== 0) throw new UserError(`${where}: the data are compressed, which torch.save never does.`);
  // A stride of 0 would let a small file claim any number of elements.
  if (offset + extent(tensor) > storage.count || elementCount(shape) > storage.count) {
    throw new UserError(
      `${where}: shape [${shape.join(', ')}] from element ${offset} leaves its ${storage.count} elements.`,
    );
  }
  return entry;
}

/**
 * Open a PyTorch checkpoint: reads its archive's directory and its pickle, never executes anything.
 *
 * @throws UserError for a file that is not an archive (the format before PyTorch 1.6), names outside of the
 * whitelist (a whole model instead of its state dict), and broken data.
 */
export async function openTorch(path: string): Promise<TorchFile> {
  const where = `torch ${path}`;
  const { entries, prefix, flat, bigEndian } = await withFile('torch', path, async (handle) => {
    const magic = new Uint8Array(4);
    await handle.read(magic, 0, 4, 0);
    if (magic[0] !== 0x50 || magic[1] !== 0x4b) {
      throw new UserError(
        `${where}: expected an archive of torch.save (PyTorch 1.6 or later), found another format: save it again, best as safetensors.`,
      );
    }
    const entries = await readZipEntries(handle, where);
    const pickle = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
    if (pickle === undefined)
      throw new UserError(`${where}: expected a member data.pkl, found ${[...entries.keys()].slice(0, 5).join(', ')}.`);
    const prefix = pickle.slice(0, -'data.pkl'.length);
    const bytes = await readZipEntry(handle, entries.get(pickle)!, where, MAX_PICKLE_BYTES);
    const order = entries.get(`${prefix}byteorder`);
    const bigEndian =
      order !== undefined && new TextDecoder().decode(await readZipEntry(handle, order, where, 16)) === 'big';
    return { entries, prefix, flat: flatten(readPickle(bytes, RULES, where), where), bigEndian };
  });
  const names = [...flat.tensors.keys()].sort();
  const find = (name: string) => {
    const tensor = flat.tensors.get(name);
    if (tensor === undefined)
      throw new UserError(`${where}: no tensor '${name}'; it holds ${names.slice(0, 20).join(', ') || 'none'}.`);
    return tensor;
  };
  return {
    path,
    names,
    values: flat.values,
    info(name) {
      const { storage, shape } = find(name);
      return { dtype: storage.type, shape: [...shape] };
    },
    async read(name, options = {}) {
      const tensor = find(name);
      const of = `${where}: tensor '${name}'`;
      const { expectShape } = options;
      if (expectShape !== undefined && !sameShape(expectShape, tensor.shape)) {
        throw new UserError(`${of}: expected shape [${expectShape.join(', ')}], found [${tensor.shape.join(', ')}].`);
      }
      const entry = checkTensor(tensor, entries.get(`${prefix}data/${tensor.storage.key}`), of);
      const { type } = tensor.storage;
      const source = await withFile('torch', path, async (handle) => {
        const position = (await storedContentAt(handle, entry, of)) + tensor.offset * ELEMENT_BYTES[type];
        return readElements(handle, { position, count: extent(tensor), type, bigEndian, where: of });
      });
      const values = rowMajor(source, tensor.shape, tensor.stride);
      if (options.finite) requireFinite(values, of);
      return values;
    },
  };
}
