/**
 * @file A reader of Python pickles that builds plain values only. Nothing is imported or executed: a name outside of
 * the caller's list ends the reading, and so does every opcode that plain data do not need.
 */

import { UserError } from '../errors.ts';

/** A Python name that the pickle refers to, such as `torch FloatStorage`. */
export interface PickleGlobal {
  module: string;
  name: string;
}

/** A plain value: dicts are maps, lists and tuples arrays, bytes `Uint8Array`; `T` is what the caller builds. */
export type PickleValue<T> =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleGlobal
  | T
  | PickleValue<T>[]
  | Map<PickleValue<T>, PickleValue<T>>;

/** What names and references mean. */
export interface PickleRules<T> {
  /** Whether a name may be referred to. */
  allows(global: PickleGlobal): boolean;
  /** The value of calling an allowed name; undefined refuses the call. */
  call(global: PickleGlobal, args: PickleValue<T>[]): PickleValue<T> | undefined;
  /** The value of a persistent reference; undefined refuses it. */
  reference(id: PickleValue<T>): PickleValue<T> | undefined;
}

/** The pickle of a checkpoint holds names and shapes; the numbers are beside it. */
export const MAX_PICKLE_BYTES = 64 * 1024 * 1024;
/**
 * One byte of a pickle can make an empty dict of 200 bytes, and a kilobyte of an archive a megabyte of such. A checkpoint
 * of 100,000 tensors needs half of this.
 */
const MAX_STEPS = 8_000_000;
const MAX_CONTAINERS = 1_000_000;

const MARK = Symbol('mark');
/** Opcodes that make a dict, a list or a tuple, or may, by a call. */
const CONTAINERS: ReadonlySet<number> = new Set([0x7d, 0x5d, 0x29, 0x74, 0x85, 0x86, 0x87, 0x52]);

/** A cursor over the bytes; every read is checked against the end. */
function cursor(bytes: Uint8Array, where: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (length: number): number => {
    if (length < 0 || at + length > bytes.length) throw new UserError(`${where}: the pickle ends early at byte ${at}.`);
    at += length;
    return at - length;
  };
  return {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    i32: () => view.getInt32(take(4), true),
    u64: () => Number(view.getBigUint64(take(8), true)),
    f64: () => view.getFloat64(take(8), false),
    bytes: (length: number) => {
      const start = take(length);
      return bytes.subarray(start, start + length);
    },
    text: (length: number) => {
      const start = take(length);
      return new TextDecoder().decode(bytes.subarray(start, start + length));
    },
    line: () => {
      const end = bytes.indexOf(0x0a, at);
      const start = take((end < 0 ? bytes.length : end) + 1 - at);
      return new TextDecoder().decode(bytes.subarray(start, at - 1));
    },
    at: () => at,
  };
}

/** A little-endian two's-complement integer of any length, as an exact number. */
function longInteger(bytes: Uint8Array, where: string): number {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (bytes.length > 0 && bytes.at(-1)! >= 128) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new UserError(`${where}: the pickle holds ${value}, beyond ±2^53.`);
  return number;
}

/**
 * Read a pickle of protocol 2 to 5.
 *
 * @param where Starts error messages.
 * @throws UserError for names and calls that the rules refuse, unknown opcodes and truncated data.
 */
export function readPickle<T>(bytes: Uint8Array, rules: PickleRules<T>, where: string): PickleValue<T> {
  type Value = PickleValue<T>;
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw new UserError(`${where}: expected a pickle of at most ${MAX_PICKLE_BYTES} bytes, found ${bytes.length}.`);
  }
  const input = cursor(bytes, where);
  const stack: (Value | typeof MARK)[] = [];
  const memo = new Map<number, Value>();
  const broken = (what: string): never => {
    throw new UserError(`${where}: the pickle is broken at byte ${input.at()}: ${what}.`);
  };
  const pop = (): Value => {
    const value = stack.pop();
    return value === undefined || value === MARK ? broken('nothing on the stack') : (value as Value);
  };
  const peek = (): Value => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const popToMark = (): Value[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) return broken('no mark on the stack');
    const values = stack.splice(mark);
    return values.slice(1) as Value[];
  };
  const recall = (index: number): Value => {
    const value = memo.get(index);
    return value === undefined ? broken(`nothing remembered under ${index}`) : value;
  };
  const setItems = (pairs: Value[]) => {
    const target = peek();
    if (!(target instanceof Map) || pairs.length % 2 !== 0) return broken('items set on something that is no dict');
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i]!, pairs[i + 1]!);
  };
  const append = (values: Value[]) => {
    const target = peek();
    if (!Array.isArray(target)) return broken('items appended to something that is no list');
    for (const value of values) target.push(value);
  };
  const global = (module: Value, name: Value): PickleGlobal => {
    if (typeof module !== 'string' || typeof name !== 'string') return broken('a name that is no text');
    const found = { module, name };
    if (!rules.allows(found)) {
      throw new UserError(
        `${where}: refers to ${module}.${name}; only tensors and plain values are read, nothing is executed.`,
      );
    }
    return found;
  };
  const call = (): Value => {
    const args = pop();
    const callee = pop();
    if (!Array.isArray(args) || typeof callee !== 'object' || callee === null || !('module' in (callee as object))) {
      return broken('a call of something that is no name');
    }
    const { module, name } = callee as PickleGlobal;
    const result = rules.call({ module, name }, args);
    if (result === undefined) throw new UserError(`${where}: calls ${module}.${name} in a way that is not allowed.`);
    return result;
  };
  const tuple = (length: number): Value[] => {
    const values: Value[] = [];
    for (let i = 0; i < length; i++) values.unshift(pop());
    return values;
  };

  let containers = 0;
  for (let steps = 0; ; steps++) {
    const code = input.u8();
    if (CONTAINERS.has(code)) containers += 1;
    if (steps > MAX_STEPS || containers > MAX_CONTAINERS) {
      throw new UserError(
        `${where}: expected a pickle of at most ${MAX_STEPS} steps and ${MAX_CONTAINERS} lists and dicts, found more.`,
      );
    }
    switch (code) {
      case 0x80: // PROTO
        if (input.u8() > 5) broken('a protocol above 5');
        break;
      case 0x95: // FRAME
        input.u64();
        break;
      case 0x2e: // STOP
        return pop();
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x30: // POP
        stack.pop();
        break;
      case 0x31: // POP_MARK
        popToMark();
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(code === 0x88);
        break;
      case 0x4b: // BININT1
        stack.push(input.u8());
        break;
      case 0x4d: // BININT2
        stack.push(input.u16());
        break;
      case 0x4a: // BININT
        stack.push(input.i32());
        break;
      case 0x8a: // LONG1
        stack.push(longInteger(input.bytes(input.u8()), where));
        break;
      case 0x47: // BINFLOAT
        stack.push(input.f64());
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(input.text(input.u8()));
        break;
      case 0x58: // BINUNICODE
        stack.push(input.text(input.u32()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(input.text(input.u64()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(input.bytes(input.u8()));
        break;
      case 0x42: // BINBYTES
        stack.push(input.bytes(input.u32()));
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x74: // TUPLE
        stack.push(popToMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(tuple(code - 0x84));
        break;
      case 0x73: // SETITEM
        setItems(tuple(2));
        break;
      case 0x75: // SETITEMS
        setItems(popToMark());
        break;
      case 0x61: // APPEND
        append(tuple(1));
        break;
      case 0x65: // APPENDS
        append(popToMark());
        break;
      case 0x71: // BINPUT
        memo.set(input.u8(), peek());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(input.u32(), peek());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, peek());
        break;
      case 0x68: // BINGET
        stack.push(recall(input.u8()));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(recall(input.u32()));
        break;
      case 0x63: // GLOBAL
        stack.push(global(input.line(), input.line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = tuple(2);
        stack.push(global(module!, name!));
        break;
      }
      case 0x52: // REDUCE
        stack.push(call());
        break;
      case 0x51: {
        // BINPERSID
        const value = rules.reference(pop());
        stack.push(value === undefined ? broken('a reference that is not understood') : value);
        break;
      }
      case 0x62: // BUILD: attributes of an object, such as a state dict's _metadata; not data
        pop();
        break;
      default:
        broken(`opcode 0x${code.toString(16)}, which plain data do not need`);
    }
  }
}
