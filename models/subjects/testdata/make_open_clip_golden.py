"""Makes the tiny random OpenCLIP subject open-clip beside this file and, with open_clip, what it must compute.

Run: python3 make_open_clip_golden.py   (made with torch 2.13.0+cpu, open_clip_torch 3.3.0, tokenizers 0.23.3)
Nothing of torchvision or timm takes part; both need only be importable.
"""

import json
import os

import open_clip
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

from make_golden import fresh, golden, randomise, save_tokenizer, watch

CONFIG = {
    "model_cfg": {
        "embed_dim": 12,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 12, "layers": 2, "width": 12, "head_width": 6, "patch_size": 4, "mlp_ratio": 2.0},
        "text_cfg": {"context_length": 10, "vocab_size": 40, "width": 16, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]},
}


def main(name="open-clip", seed=140):
    folder = fresh(name)
    model = randomise(CLIP(**CONFIG["model_cfg"]).eval(), seed)
    state = {key: value.contiguous() for key, value in model.state_dict().items() if key != "attn_mask"}
    save_file(state, os.path.join(folder, "open_clip_model.safetensors"))
    with open(os.path.join(folder, "open_clip_config.json"), "w") as file:
        json.dump(CONFIG, file)
    save_tokenizer(folder, 40, 38, 39, template="<s> $A </s>")
    captured = {}
    visual = model.visual
    watch(captured, "vision.", visual.transformer.resblocks, "ln_2", visual.ln_post, attention="attn")
    watch(captured, "text.", model.transformer.resblocks, "ln_2", model.ln_final, attention="attn")
    generator = torch.Generator().manual_seed(seed + 1)
    pixels = torch.randn(2, 3, 12, 12, generator=generator)
    ids = torch.zeros((3, 10), dtype=torch.long)
    lengths = [9, 5, 2]
    for row, n in enumerate(lengths):
        ids[row, :n] = torch.randint(3, 38, (n,), generator=generator)
        ids[row, 0], ids[row, n - 1] = 38, 39
    mask = torch.tensor([[1] * n + [0] * (10 - n) for n in lengths])
    with torch.no_grad():
        embeds = {"vision.embed": model.encode_image(pixels), "text.embed": model.encode_text(ids)}
        image, text, scale = model(pixels, ids)
        embeds["logits_per_image"] = scale * image @ text.T
    # Its final norm sees all tokens; the class token alone is used.
    captured["vision.ln_final.hook_normalized"] = captured["vision.ln_final.hook_normalized"][:, :1]
    golden(folder, {"input_ids": ids, "mask": mask, "pixels": pixels.permute(0, 2, 3, 1), **captured, **embeds})


assert open_clip.__version__ == "3.3.0", open_clip.__version__
main()
