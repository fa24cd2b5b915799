"""Tables in AxBench's form: a set of two concepts, in training and held out, and held-out rows of another set.

python3 make_axbench_golden.py   (pyarrow)
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent


def table(concepts, shared):
    rows = []
    for i, concept in enumerate(concepts):
        for category in ["positive"] if shared else ["positive", "negative"]:
            rows += [(f"Ask {k} of {concept}.", f"{category} reply {k}", concept, "text", category, i) for k in range(2)]
    if shared:
        rows += [(f"Ask {k}.", f"shared reply {k}", "EEEEE", "text", "negative", -1) for k in range(2)]
    names = ["input", "output", "output_concept", "concept_genre", "category", "concept_id"]
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


pq.write_table(table(["rivers", "mills"], True), here / "axbench-train.golden.parquet")
pq.write_table(table(["rivers", "mills"], False), here / "axbench-test.golden.parquet")
pq.write_table(table(["rivers", "clocks"], False), here / "axbench-other.golden.parquet")
