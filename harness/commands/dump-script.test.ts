/** @file `saxbench new dump-script`: the script is written, is Python, and what it writes is what the model gives here. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collectActivations } from '../activations/collect.ts';
import { openImport } from '../activations/import.ts';
import { openActivationSet } from '../activations/set-files.ts';
import { readNpy } from '../io/npy.ts';
import { initBackend } from '../num/backend.ts';
import { mistake, runCommand } from '../testing/command-line.ts';

const test = suite('saxbench new dump-script');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-dump-'));
test.after(() => rmSync(folder, { recursive: true }));

/** The Python that has what the script needs: SAXBENCH_PYTHON names another than `python3`. */
const PYTHON = process.env['SAXBENCH_PYTHON'] ?? 'python3';

/** Runs Python; what it printed, or undefined where it ends with an error. */
function python(...args: string[]): string | undefined {
  try {
    const env = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', HF_HUB_OFFLINE: '1' };
    return execFileSync(PYTHON, args, { encoding: 'utf8', cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') lastError = String((error as { stderr?: string }).stderr);
    return undefined;
  }
}
let lastError = '';

const script = join(folder, 'dump.py');

test('is written as dump.py where no name is given, once', async () => {
  const { out } = await runCommand('new', 'dump-script', '--out', folder);
  assert.ok(out.includes(`wrote ${script}`), out);
  assert.match(out, /python3 \S+dump\.py --model gpt2 --site blocks\.6\.hook_resid_post/);
  assert.match(out, /npx saxbench run default --activations dump/);
  assert.not.match(readFileSync(script, 'utf8'), /starter/);
  assert.match(await mistake('new', 'dump-script', '--out', folder), /dump\.py is there already/);
  await runCommand('new', 'dump-script', 'my-dump', '--out', folder);
  assert.match(readFileSync(join(folder, 'my-dump.py'), 'utf8'), /python my-dump\.py --model gpt2/);
});

test('is Python', () => {
  if (python('--version') === undefined) {
    console.log(`skipped: no ${PYTHON} here`);
    return;
  }
  assert.is.not(python('-m', 'py_compile', script), undefined, lastError);
});

/** A random GPT-2 of three blocks with a byte tokenizer, and its dump, in one process: importing torch takes longest. */
const MAKE = `
import runpy, sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocab = {"<|endoftext|>": 0, **{c: i + 1 for i, c in enumerate(alphabet)}}
tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
end = "<|endoftext|>"
PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=end, eos_token=end, unk_token=end).save_pretrained("model")
torch.manual_seed(0)
sizes = dict(n_positions=32, n_embd=16, n_layer=3, n_head=2, bos_token_id=0, eos_token_id=0)
GPT2LMHeadModel(GPT2Config(vocab_size=len(vocab), **sizes)).save_pretrained("model")
for site in ("blocks.1.hook_resid_post", "blocks.1.hook_resid_pre"):
    sys.argv = "dump.py --model model --texts texts.jsonl --max-length 24 --batch 7 --first 1 --device cpu".split()
    sys.argv += ["--site", site, "--out", site]
    runpy.run_path("dump.py", run_name="__main__")
for wrong in (["blocks.1.hook_resid_pre", "--max-length", "33"], ["blocks.-1.hook_resid_post"], ["x", "--module", "h.7"]):
    sys.argv = ["dump.py", "--model", "model", "--texts", "texts.jsonl", "--out", "wrong", "--device", "cpu", "--max-length", "8"]
    sys.argv += ["--site", *wrong]
    try:
        runpy.run_path("dump.py", run_name="__main__")
    except SystemExit as error:
        print("refused:", error)
`;

test('what it writes of a GPT-2 is what the model gives here: rows, tokens, positions', async () => {
  if (python('-c', 'import torch, transformers, numpy') === undefined) {
    console.log(`skipped: ${PYTHON} here has no torch and transformers (SAXBENCH_PYTHON names another)`);
    return;
  }
  const texts = Array.from(
    { length: 40 },
    (_, i) => `${i % 2 === 0 ? 'Ein 🧀 Käse\u2028' : 'the fog'} ${'ab cd '.repeat(i % 7)}${i}`,
  );
  const lines = texts.map((text, i) => JSON.stringify({ text, label: i % 2 === 0 ? 'cheese' : 'fog' }));
  writeFileSync(join(folder, 'texts.jsonl'), `${lines.join('\n')}\n`);
  const printed = python('-c', MAKE);
  assert.is.not(printed, undefined, lastError);
  assert.equal(printed!.match(/(?<=^refused: ).*/gm), [
    '--max-length 33: expected 1 to 32, the positions of the model',
    '--site blocks.-1.hook_resid_post: expected blocks.L.hook_resid_pre or blocks.L.hook_resid_post, or --module too',
    '--module h.7: the model has no module of this name: model.named_modules() lists them',
  ]);
  await initBackend('cpu');
  const { openRegistry } = await import('../registry.ts');
  const family = await openRegistry().get('subject', 'gpt2');
  const subject = await family.load(join(folder, 'model'), { id: 'model' });
  for (const site of ['blocks.1.hook_resid_post', 'blocks.1.hook_resid_pre']) {
    const { dataset, activationsFor, site: imported } = await openImport(join(folder, site));
    assert.equal([imported.name, imported.d, imported.kind, imported.modality], [site, 16, 'tokens', 'text']);
    const items = await dataset.corpus('train', 1000);
    assert.ok(items.length > 5 && items.every(({ id, text }) => text === texts[Number(id.slice(4))]));
    const set = await activationsFor(items);
    const target = { site, folder: join(folder, `direct-${site}`), key: site };
    await collectActivations({ subject, targets: [target], items, maxLength: 24 });
    const direct = await openActivationSet(target.folder);
    assert.equal(set.bounds, direct.bounds);
    assert.equal(set.tokenIds, direct.tokenIds);
    assert.equal(set.positions, direct.positions);
    assert.equal(
      set.keep,
      direct.keep.map((flag, row) => (direct.positions[row] === 0 ? 0 : flag)),
    );
    const offsets = await readNpy(join(folder, site, 'offsets.npy'));
    const bounds = (await readNpy(join(folder, site, 'bounds.npy'))).data;
    for (const [i, text] of texts.slice(0, 4).entries()) {
      const own = subject.type === 'lm' ? subject.tokenizer.encode(text).offsets.flat() : [];
      const [start, end] = [2 * bounds[i]!, 2 * bounds[i + 1]!];
      assert.equal([...offsets.data.subarray(start, end)], own.slice(0, end - start));
    }
    const [a, b] = [await set.read(0, set.n), await direct.read(0, direct.n)];
    const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    assert.ok(apart < 1e-4, `rows differ by ${apart}`);
  }
  subject.dispose();
});

test.run();
