"""
The relaxed archetypal SAE of overcomplete on the data of `npm run perf:synthetic`: its own trainer, loss and encoder over a grid of
learning rates, measured as `synthetic_grid.py` says. Usage: overcomplete_synthetic.py DIR GRID.json > overcomplete.csv

`coefficient`: the relaxation as a part of the mean norm of the rows. Needs overcomplete 0.3 and scikit-learn.
"""

import importlib.util
import sys
import types

import torch
from sklearn.cluster import KMeans
from synthetic_grid import batches, d_in, d_sae, grid, measure, rate, sweep, test, train

# The package itself imports vision models, which no trainer needs.
package = types.ModuleType("overcomplete")
package.__path__ = list(importlib.util.find_spec("overcomplete").submodule_search_locations)
sys.modules["overcomplete"] = package
from overcomplete.sae.losses import top_k_auxiliary_loss
from overcomplete.sae.rasae import RATopKSAE
from overcomplete.sae.train import train_sae

# One centroid a latent, of rows whose number is no burden.
rows = train[:10_000]
centres = torch.from_numpy(KMeans(d_sae, n_init=1, random_state=grid["seed"]).fit(rows.numpy()).cluster_centers_)
length = float(train.norm(dim=1).mean())


def run(_variant, batch, lr, coefficient, _window):
    steps = len(train) // batch
    sae = RATopKSAE(d_in, nb_concepts=d_sae, points=centres.clone(), top_k=int(grid["l0"]), delta=coefficient * length)
    adam = torch.optim.Adam(sae.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: rate(step, steps))
    data = [x for _, x in zip(range(steps), batches(batch, grid["seed"]))]
    train_sae(sae, data, top_k_auxiliary_loss, adam, schedule, nb_epochs=1, monitoring=0)
    sae.eval()
    with torch.no_grad():
        _, codes = sae.encode(test)
        return measure(codes, sae.decode(codes), sae.get_dictionary())


sweep(["archetypal"], run)
