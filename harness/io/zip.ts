/** @file Reading ZIP archives (.npz, .pt): the directory, and stored or deflated members, with bounds. */

import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createInflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { UserError } from '../errors.ts';
import { atomicWrite } from './atomic.ts';
import { CHUNK_BYTES, readExactly } from './elements.ts';

/** One member of an archive. */
export interface ZipEntry {
  name: string;
  /** Bytes of the content after unpacking. */
  size: number;
  /** Bytes in the archive. */
  packedSize: number;
  /** 0 stored, 8 deflated. */
  method: number;
  /** CRC-32 of the content after unpacking. */
  crc: number;
  /** Position of the local header. */
  headerAt: number;
  /** Set once the content in the file has been found to have this CRC. */
  checked?: boolean;
}

/** A checkpoint has some thousand members; each costs memory before anything is read. */
const MAX_ENTRIES = 100_000;
/** Far beyond a directory of {@link MAX_ENTRIES} usual names. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
/**
 * A deflated member is unpacked in memory, and 130 kB can unpack to this much. Larger arrays are stored, not deflated, by
 * numpy.savez and PyTorch.
 */
const MAX_INFLATED_BYTES = 128 * 1024 * 1024;

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

async function bytesAt(handle: FileHandle, position: number, length: number, where: string): Promise<DataView> {
  const bytes = new Uint8Array(length);
  await readExactly(handle, bytes, position, where);
  return new DataView(bytes.buffer);
}

/** Number of a 64-bit field; the directory of a real file cannot be beyond 2^53. */
function wide(view: DataView, at: number, where: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new UserError(`${where}: a 64-bit field of the archive holds ${value}.`);
  return Number(value);
}

/** Where the directory is: count, size, position. */
async function findDirectory(handle: FileHandle, size: number, where: string): Promise<[number, number, number]> {
  const tailLength = Math.min(size, 65557);
  const tail = await bytesAt(handle, size - tailLength, tailLength, where);
  let at = tailLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0)
    throw new UserError(`${where}: expected a ZIP archive, found no end record: truncated or another format?`);
  const [count, bytes, position] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  const locatorAt = size - tailLength + at - 20;
  if (locatorAt < 0) return [count, bytes, position];
  const locator = await bytesAt(handle, locatorAt, 20, where);
  if (locator.getUint32(0, true) !== END64_LOCATOR) return [count, bytes, position];
  const end = await bytesAt(handle, wide(locator, 8, where), 56, where);
  if (end.getUint32(0, true) !== END64) throw new UserError(`${where}: the archive's 64-bit end record is missing.`);
  return [wide(end, 32, where), wide(end, 40, where), wide(end, 48, where)];
}

/** The 64-bit sizes that an extra field carries for each 32-bit field that is full. */
function applyZip64(view: DataView, from: number, to: number, entry: ZipEntry, where: string): void {
  for (let at = from; at + 4 <= to; ) {
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    let field = at + 4;
    if (id === 1) {
      for (const key of ['size', 'packedSize', 'headerAt'] as const) {
        if (entry[key] !== 0xffffffff || field + 8 > Math.min(to, at + 4 + length)) continue;
        entry[key] = wide(view, field, where);
        field += 8;
      }
    }
    at += 4 + length;
  }
}

/**
 * The members of an archive, by name.
 *
 * @param where Starts error messages: the format and the file.
 * @throws UserError for something that is not an archive, a broken directory, encrypted or duplicate members.
 */
export async function readZipEntries(handle: FileHandle, where: string): Promise<Map<string, ZipEntry>> {
  const { size: fileSize } = await handle.stat();
  if (fileSize < 22) throw new UserError(`${where}: expected a ZIP archive, found ${fileSize} bytes.`);
  const [count, bytes, position] = await findDirectory(handle, fileSize, where);
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES || position + bytes > fileSize) {
    throw new UserError(
      `${where}: the archive's directory claims ${count} members in ${bytes} bytes at ${position}; expected at most ${MAX_ENTRIES} inside the file.`,
    );
  }
  const view = await bytesAt(handle, position, bytes, where);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes || view.getUint32(at, true) !== CENTRAL) {
      throw new UserError(`${where}: member ${i} of the archive's directory is broken.`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const nameEnd = at + 46 + nameLength!;
    const next = nameEnd + extraLength! + commentLength!;
    if (next > bytes) throw new UserError(`${where}: member ${i} of the archive's directory is broken.`);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength));
    const entry: ZipEntry = {
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      headerAt: view.getUint32(at + 42, true),
    };
    applyZip64(view, nameEnd, nameEnd + extraLength!, entry, where);
    if ((view.getUint16(at + 8, true) & 1) === 1) throw new UserError(`${where}: member '${name}' is encrypted.`);
    if (entries.has(name)) throw new UserError(`${where}: member '${name}' occurs twice.`);
    if (entry.headerAt + 30 + entry.packedSize > fileSize) {
      throw new UserError(
        `${where}: member '${name}' claims ${entry.packedSize} bytes at ${entry.headerAt}, beyond the file.`,
      );
    }
    if (entry.method === 0 && entry.size !== entry.packedSize) {
      throw new UserError(
        `${where}: member '${name}' is stored as it is in ${entry.packedSize} bytes and claims ${entry.size}.`,
      );
    }
    entries.set(name, entry);
    at = next;
  }
  return entries;
}

/** Position of a member's first content byte; all of its bytes are in the file. */
export async function zipContentAt(handle: FileHandle, entry: ZipEntry, where: string): Promise<number> {
  const local = await bytesAt(handle, entry.headerAt, 30, where);
  if (local.getUint32(0, true) !== LOCAL) throw new UserError(`${where}: member '${entry.name}' has no local header.`);
  const start = entry.headerAt + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const { size } = await handle.stat();
  if (start + entry.packedSize > size) {
    throw new UserError(
      `${where}: member '${entry.name}' has ${entry.packedSize} bytes from ${start}, the file ends at ${size}.`,
    );
  }
  return start;
}

function requireCrc(found: number, { name, crc }: ZipEntry, where: string): void {
  if (found === crc) return;
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  throw new UserError(
    `${where}: member '${name}' is damaged: its CRC-32 is ${hex(found)}, the archive says ${hex(crc)}: fetch or save the file again (PyTorch: with set_crc32_options(True)).`,
  );
}

/**
 * Where a stored member can be read in place, after its content was compared with its CRC (once an entry).
 *
 * @throws UserError for a member that is not stored, leaves the file or is damaged.
 */
export async function storedContentAt(handle: FileHandle, entry: ZipEntry, where: string): Promise<number> {
  if (entry.method !== 0) throw new UserError(`${where}: member '${entry.name}' is packed, expected as it is.`);
  const start = await zipContentAt(handle, entry, where);
  if (entry.checked) return start;
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, entry.size));
  let crc = 0;
  for (let at = 0; at < entry.size; at += chunk.length) {
    const bytes = chunk.subarray(0, Math.min(chunk.length, entry.size - at));
    await readExactly(handle, bytes, start + at, where);
    crc = crc32(bytes, crc);
  }
  requireCrc(crc, entry, where);
  entry.checked = true;
  return start;
}

function requireMethod({ method, name }: ZipEntry, where: string): void {
  if (method !== 0 && method !== 8)
    throw new UserError(`${where}: member '${name}' is packed by method ${method}; readable are 0 and 8.`);
}

function inflate(packed: Uint8Array, { name }: ZipEntry, where: string, options: ZlibOptions): Uint8Array {
  try {
    return inflateRawSync(packed, options);
  } catch (error) {
    throw new UserError(`${where}: member '${name}' cannot be unpacked: ${(error as Error).message}.`);
  }
}

/**
 * The first bytes of a member's content, unpacked: at least `count` where it has as many. They are not compared with its CRC.
 *
 * @throws UserError for an unknown method or broken data.
 */
export async function firstContentBytes(
  handle: FileHandle,
  entry: ZipEntry,
  count: number,
  where: string,
): Promise<Uint8Array> {
  requireMethod(entry, where);
  const start = await zipContentAt(handle, entry, where);
  // What is packed can be larger than what it unpacks to, by some bytes a block.
  const packed = new Uint8Array(Math.min(entry.packedSize, 2 * count));
  await readExactly(handle, packed, start, where);
  return entry.method === 8 ? inflate(packed, entry, where, { finishFlush: constants.Z_SYNC_FLUSH }) : packed;
}

/**
 * A member's content, unpacked.
 *
 * @param maxBytes The most that the caller expects.
 * @throws UserError for an unknown method, a larger content than claimed or allowed, broken data.
 */
export async function readZipEntry(
  handle: FileHandle,
  entry: ZipEntry,
  where: string,
  maxBytes: number = MAX_INFLATED_BYTES,
): Promise<Uint8Array> {
  const { name, method, size, packedSize } = entry;
  if (size > maxBytes)
    throw new UserError(
      `${where}: member '${name}' claims ${size} bytes unpacked, expected at most ${maxBytes}: save it without compression.`,
    );
  requireMethod(entry, where);
  const start = await zipContentAt(handle, entry, where);
  const packed = new Uint8Array(packedSize);
  await readExactly(handle, packed, start, where);
  const content = method === 8 ? inflate(packed, entry, where, { maxOutputLength: Math.max(1, size) }) : packed;
  if (content.length !== size)
    throw new UserError(`${where}: member '${name}' unpacks to ${content.length} bytes, expected ${size}.`);
  requireCrc(crc32(content), entry, where);
  return content;
}

/** Bytes of a file, in pieces. */
async function* piecesOf(handle: FileHandle, start: number, length: number, where: string) {
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    const piece = new Uint8Array(Math.min(CHUNK_BYTES, length - at));
    await readExactly(handle, piece, start + at, where);
    yield piece;
  }
}

/** Content in pieces: ends with an error for another size or CRC than the archive says. */
async function* checkedPieces(pieces: AsyncIterable<Uint8Array>, entry: ZipEntry, where: string) {
  let [at, crc] = [0, 0];
  const requireSize = (right: boolean, found: string) => {
    if (right) return;
    throw new UserError(`${where}: member '${entry.name}' unpacks to ${found} bytes, expected ${entry.size}.`);
  };
  for await (const piece of pieces) {
    at += piece.length;
    requireSize(at <= entry.size, `at least ${at}`);
    crc = crc32(piece, crc);
    yield piece;
  }
  requireSize(at === entry.size, String(at));
  requireCrc(crc, entry, where);
}

/**
 * Writes a member's content, of any size, to a file, in pieces: whole and with its CRC, or not at all.
 *
 * @throws UserError for an unknown method, another size than the archive claims, damage, or a disk that is full.
 */
export async function extractZipEntry(
  handle: FileHandle,
  entry: ZipEntry,
  target: string,
  where: string,
  signal?: AbortSignal,
): Promise<void> {
  requireMethod(entry, where);
  const start = await zipContentAt(handle, entry, where);
  const options = signal ? { signal } : {};
  await atomicWrite(target, async (output) => {
    const packed = piecesOf(handle, start, entry.packedSize, where);
    const write = async (pieces: AsyncIterable<Uint8Array>) => {
      for await (const piece of checkedPieces(pieces, entry, where)) await output.writeFile(piece);
    };
    if (entry.method === 8) await pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), write, options);
    else await pipeline(packed, write, options);
  }).catch((error: NodeJS.ErrnoException) => {
    if (!error.code?.startsWith('Z_')) throw error;
    throw new UserError(`${where}: member '${entry.name}' cannot be unpacked: ${error.message}.`);
  });
}
