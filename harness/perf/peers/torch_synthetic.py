"""
SAEs written plainly from their papers on the data of `npm run perf:synthetic`, for architectures that neither SAELens nor
dictionary_learning trains, over a grid of learning rates and windows, measured as `synthetic_grid.py` says.
Usage: torch_synthetic.py DIR GRID.json [VARIANT ...] > pytorch.csv

All but VAEase train as the TopK family does (Gao et al. 2024): errors over the data's variance, AuxK of weight 1/32 where the
variant has it, decoder rows of unit length without the gradient along them, gradients clipped at norm 1. What defines an
architecture (experts, heads, weights of penalties) is at our defaults. `coefficient`: of switch the weight of the load balance, of
vaease the logarithm of gamma at the start.
"""

import math

import torch
from synthetic_grid import batches, d_in, d_sae, grid, measure, rate, sweep, test, train
from torch import nn

K = int(grid["l0"])
VARIANCE = float((train - train.mean(0)).pow(2).mean())
EXPERTS, BASE, EXTENSION = 8, 2, 4


def unit(rows):
    return rows / rows.norm(dim=-1, keepdim=True)


def keep_top(a, k):
    """The k largest of each row, where they are above 0."""
    values, indices = a.topk(k, dim=-1)
    return torch.zeros_like(a).scatter(-1, indices, values.relu())


def keep_top_of_batch(a, k):
    values, indices = a.relu().flatten().topk(k * len(a))
    return torch.zeros_like(a).flatten().scatter(0, indices, values).reshape(a.shape)


class TopK(nn.Module):
    """Gao et al. 2024; the start is a decoder of random directions, an encoder that is its transpose, and the data's mean."""

    auxiliary = 1 / 32

    def __init__(self, coefficient):
        super().__init__()
        self.W_dec = nn.Parameter(unit(torch.randn(d_sae, d_in)))
        self.W_enc = nn.Parameter(self.W_dec.detach().T.clone())
        self.b_enc = nn.Parameter(torch.zeros(d_sae))
        self.b_dec = nn.Parameter(train.mean(0).clone())
        self.coefficient = coefficient

    def pre(self, x):
        return (x - self.b_dec) @ self.W_enc + self.b_enc

    def keep(self, pre):
        return keep_top(pre, K)

    def penalty(self, x, pre, codes):
        return 0

    def loss(self, x, dead):
        pre = self.pre(x)
        codes = self.keep(pre)
        left = x - codes @ self.W_dec - self.b_dec
        total = left.pow(2).mean() / VARIANCE + self.penalty(x, pre, codes)
        if self.auxiliary and dead.any():
            among = pre.masked_fill(~dead, -math.inf)
            revived = keep_top(among, min(d_in // 2, int(dead.sum()))) @ self.W_dec
            left = left.detach()
            total = total + self.auxiliary * (left - revived).pow(2).sum() / (left - left.mean(0)).pow(2).sum()
        return total, codes.detach()

    def after_backward(self):
        along = (self.W_dec.grad * self.W_dec).sum(1, keepdim=True)
        self.W_dec.grad -= along * self.W_dec

    def after_step(self):
        self.W_dec.copy_(unit(self.W_dec))

    def encode(self, x):
        return self.keep(self.pre(x))

    def result(self):
        codes = self.encode(test)
        return measure(codes, codes @ self.W_dec + self.b_dec, self.W_dec)


class MultiTopK(TopK):
    """The same paper: a second reconstruction of four times as many latents, of weight 1/8."""

    def penalty(self, x, pre, codes):
        wide = keep_top(pre, 4 * K) @ self.W_dec + self.b_dec
        return (x - wide).pow(2).mean() / VARIANCE / 8


class BatchTopK(TopK):
    """Bussmann, Leask & Nanda 2024; at inference the mean smallest code of the last tenth of the steps is a threshold."""

    def keep(self, pre):
        codes = keep_top_of_batch(pre, K)
        if self.training:
            self.smallest = getattr(self, "smallest", []) + [float(codes.detach()[codes > 0].min())]
        return codes

    def encode(self, x):
        recent = self.smallest[-max(1, len(self.smallest) // 10) :]
        pre = self.pre(x)
        return pre * (pre > sum(recent) / len(recent))


class OrtSAE(BatchTopK):
    """Korznikov et al. 2025: the mean over decoder rows of the square of the largest cosine with another, of weight 0.25."""

    def penalty(self, x, pre, codes):
        cosines = self.W_dec @ self.W_dec.T - 4 * torch.eye(d_sae)
        return 0.25 * cosines.max(dim=1).values.pow(2).mean()


class FrozenDecoder(BatchTopK):
    """The controls of Korznikov et al. 2026."""

    def __init__(self, coefficient):
        super().__init__(coefficient)
        self.W_dec.requires_grad_(False)

    def after_backward(self):
        pass

    def after_step(self):
        pass


class SoftFrozenDecoder(BatchTopK):
    def __init__(self, coefficient):
        super().__init__(coefficient)
        self.start = self.W_dec.detach().clone()

    def after_step(self):
        rows, start, c = unit(self.W_dec), self.start, 0.8
        cosine = (rows * start).sum(1, keepdim=True)
        edge = c * start + math.sqrt(1 - c * c) * unit(rows - cosine * start)
        self.W_dec.copy_(torch.where(cosine < c, edge, rows))


class FrozenEncoder(BatchTopK):
    """Rows of the decoder are free in length, for the codes are given; b_dec is no part of the encoder."""

    auxiliary = 0

    def __init__(self, coefficient):
        super().__init__(coefficient)
        self.b_enc.data = -self.b_dec.detach() @ self.W_enc.detach()
        self.W_enc.requires_grad_(False)
        self.b_enc.requires_grad_(False)

    def pre(self, x):
        return x @ self.W_enc + self.b_enc

    def after_backward(self):
        pass

    def after_step(self):
        pass


class Switch(TopK):
    """Mudide et al. 2024: codes of the most probable of 8 experts, times its probability; no encoder bias, no AuxK."""

    auxiliary = 0

    def __init__(self, coefficient):
        super().__init__(coefficient)
        self.b_enc.requires_grad_(False)
        self.router = nn.Linear(d_in, EXPERTS, bias=False)
        self.b_router = nn.Parameter(self.b_dec.detach().clone())

    def pre(self, x):
        self.probabilities = self.router(x - self.b_router).softmax(1)
        gate, self.expert = self.probabilities.max(1, keepdim=True)
        own = torch.zeros_like(self.probabilities).scatter(1, self.expert, gate)
        return super().pre(x).relu() * own.repeat_interleave(d_sae // EXPERTS, dim=1)

    def penalty(self, x, pre, codes):
        parts = torch.bincount(self.expert.flatten(), minlength=EXPERTS) / len(x)
        return self.coefficient * EXPERTS * (parts * self.probabilities.mean(0)).sum()


class Kron(TopK):
    """Kurochkin et al. 2025: heads of 2 base and 4 extension factors, whose latents are roots of products; no encoder bias."""

    def __init__(self, coefficient):
        super().__init__(coefficient)
        heads = d_sae // (BASE * EXTENSION)
        base, extension = unit(torch.randn(heads, BASE, d_in)), unit(torch.randn(heads, EXTENSION, d_in))
        self.W_dec.data = unit((base[:, :, None] + extension[:, None]).reshape(d_sae, d_in))
        self.base, self.extension = nn.Parameter(base), nn.Parameter(extension)
        self.W_enc.requires_grad_(False)
        self.b_enc.requires_grad_(False)

    def pre(self, x):
        u = torch.einsum("nd,hid->nhi", x - self.b_dec, self.base)[..., :, None]
        v = torch.einsum("nd,hjd->nhj", x - self.b_dec, self.extension)[..., None, :]
        both = (u > 0) & (v > 0)
        return torch.where(both, torch.where(both, u * v, 1).sqrt(), 0).flatten(1)


class VAEase(nn.Module):
    """Lu et al. 2025: mean and deviation from one layer and a matrix, samples gated by 1 - deviation; twice the evidence bound."""

    def __init__(self, log_gamma):
        super().__init__()
        self.encoder = nn.Linear(d_in, 2 * d_sae)
        self.sigma = nn.Linear(d_sae, d_sae)
        self.decoder = nn.Linear(d_sae, d_in)
        self.decoder.bias.data = train.mean(0).clone()
        self.log_gamma = nn.Parameter(torch.tensor(float(log_gamma)))

    def posterior(self, x):
        mean, hidden = nn.functional.silu(self.encoder(x)).chunk(2, dim=1)
        return mean, self.sigma(hidden).sigmoid().clamp(min=1e-7).sqrt()

    def loss(self, x, dead):
        mean, deviation = self.posterior(x)
        sample = mean + deviation * torch.randn_like(mean)
        error = (x - self.decoder((1 - deviation) * sample)).pow(2).sum(1).mean()
        divergence = (deviation.pow(2) + mean.pow(2) - deviation.pow(2).log() - 1).sum(1).mean()
        return error / self.log_gamma.exp() + d_in * (self.log_gamma + math.log(2 * math.pi)) + divergence, mean

    def after_backward(self):
        pass

    after_step = after_backward

    def result(self):
        mean, deviation = self.posterior(test)
        codes = (1 - deviation) * mean * (deviation < 1)
        return measure(codes, self.decoder(codes), self.decoder.weight.T)


MODELS = {
    "multi-topk": MultiTopK,
    "ortsae": OrtSAE,
    "switch": Switch,
    "kron": Kron,
    "vaease": VAEase,
    "frozen-decoder": FrozenDecoder,
    "soft-frozen-decoder": SoftFrozenDecoder,
    "frozen-encoder": FrozenEncoder,
}
# Beside SAELens's, to judge this script by.
ASKED_FOR = {"topk": TopK, "batchtopk": BatchTopK}


def run(variant, batch, lr, coefficient, window):
    steps = len(train) // batch
    model = (MODELS | ASKED_FOR)[variant](coefficient)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    adam = torch.optim.Adam(trained, lr=lr, eps=6.25e-10)
    silent = torch.zeros(d_sae)
    for step, x in zip(range(steps), batches(batch, grid["seed"])):
        adam.param_groups[0]["lr"] = lr * rate(step, steps)
        adam.zero_grad()
        total, codes = model.loss(x, silent >= max(1, round(window * steps)))
        total.backward()
        silent = torch.where((codes != 0).any(0), 0, silent + 1)
        with torch.no_grad():
            model.after_backward()
            if variant != "vaease":
                nn.utils.clip_grad_norm_(trained, 1.0)
            adam.step()
            model.after_step()
    model.eval()
    with torch.no_grad():
        return model.result()


if __name__ == "__main__":
    sweep(MODELS, run, asked_for=ASKED_FOR)
