"""Tables in the form of data sets on the hub: AG News' and SST-2's columns, PubMedQA's texts within a struct.

python3 make_hub_golden.py   (pyarrow)
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent

rows = 160
labels = [i % 4 for i in range(rows)]
texts = [f"{'abcd'[c]}title{i} {'abcd'[c]}word" + " more" * (8 + i % 5) for i, c in enumerate(labels)]
pq.write_table(pa.table({"text": texts, "label": pa.array(labels, pa.int64())}), here / "labelled.golden.parquet")

contexts = [[f"Abstract number{i} begins.", f"It ends, as abstracts do, with word{i}."] for i in range(40)]
struct = pa.array([{"contexts": parts, "labels": ["A", "B"]} for parts in contexts])
pq.write_table(pa.table({"pubid": list(range(40)), "context": struct}), here / "nested.golden.parquet")
