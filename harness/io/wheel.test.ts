/** @file Members of a wheel: chosen ones come out whole, of any size, or not at all. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, refusal, rejection } from '../testing/failing.ts';
import { type ZipMember, zipOf } from '../testing/zip.ts';
import { memberBytes, readMembers, unpackMembers } from './wheel.ts';

const test = suite('io/wheel');

const everything = () => true;

/** The error of unpacking one member; nothing is left of it. */
async function refused(folder: string, member: ZipMember, change = (archive: Buffer) => archive): Promise<string> {
  const [wheel, target] = [join(folder, 'a.whl'), join(folder, 'unpacked')];
  writeFileSync(wheel, change(zipOf([member])));
  const message = await refusal(unpackMembers(wheel, everything, target));
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.equal(
    left.map(({ name }) => name),
    ['a.whl'],
  );
  return message;
}

test('chosen members, stored or deflated, larger than a piece or empty, with the right to run in bin', () =>
  inFolder(async (folder) => {
    const wheel = join(folder, 'a.whl');
    // Two pieces and a bit: nothing may depend on where they end.
    const large = Buffer.alloc(2 * 8 * 1024 * 1024 + 3, 'saxbench');
    writeFileSync(
      wheel,
      zipOf([
        { name: 'a/large', content: large },
        { name: 'a/packed', content: large, deflated: true },
        { name: 'a/bin/run', content: Buffer.from('#!'), deflated: true },
        { name: 'a/empty', content: Buffer.alloc(0) },
        { name: 'a/empty-packed', content: Buffer.alloc(0), deflated: true },
        { name: 'a/', content: Buffer.alloc(0) },
        { name: 'b/not', content: Buffer.from('chosen') },
      ]),
    );
    const wanted = (name: string) => name.startsWith('a/');
    assert.is(await memberBytes(wheel, wanted), 2 * large.length + 2);
    await unpackMembers(wheel, wanted, join(folder, 'x'));
    assert.equal(readdirSync(join(folder, 'x/a')).sort(), ['bin', 'empty', 'empty-packed', 'large', 'packed']);
    for (const name of ['large', 'packed']) assert.ok(readFileSync(join(folder, 'x/a', name)).equals(large), name);
    assert.is(statSync(join(folder, 'x/a/empty-packed')).size, 0);
    assert.is(statSync(join(folder, 'x/a/bin/run')).mode & 0o777, 0o755);
    assert.equal(readdirSync(join(folder, 'x')), ['a']);
    const texts = await readMembers(wheel, async (textOf) => [await textOf('b/not'), await textOf('b/none')]);
    assert.equal(texts, ['chosen', undefined]);
    const stopped = AbortSignal.abort();
    assert.is((await rejection(unpackMembers(wheel, wanted, join(folder, 'y'), stopped))).name, 'AbortError');
    assert.match(await refusal(memberBytes(wheel, () => false)), /expected members that are needed of it, found none/);
  }));

test('damage, other sizes than claimed, and names that lead out of the folder, each in a line', () =>
  inFolder(async (folder) => {
    const content = Buffer.from('some content');
    const [stored, deflated] = [
      { name: 'a', content },
      { name: 'a', content, deflated: true },
    ];
    assert.match(await refused(folder, { ...stored, crc: 7 }), /member 'a' is damaged: its CRC-32/);
    assert.match(await refused(folder, { ...deflated, crc: 7 }), /member 'a' is damaged: its CRC-32/);
    assert.match(await refused(folder, { ...deflated, claimed: 5 }), /unpacks to at least 12 bytes, expected 5/);
    assert.match(await refused(folder, { ...deflated, claimed: 50 }), /unpacks to 12 bytes, expected 50/);
    const at = 30 + 1;
    const broken = (archive: Buffer) => archive.fill(0xff, at, at + deflateRawSync(content).length);
    assert.match(await refused(folder, deflated, broken), /member 'a' cannot be unpacked: invalid/);
    for (const name of ['../a', 'b/../../a', '/a', './a']) {
      assert.match(await refused(folder, { name, content }), /expected members below its folder, found '/);
    }
    const cut = (archive: Buffer) => archive.subarray(0, -10);
    assert.match(await refused(folder, stored, cut), /expected a ZIP archive/);
  }));

test.run();
