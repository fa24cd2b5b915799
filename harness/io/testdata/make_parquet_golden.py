"""Writes plain.golden.parquet, nested.golden.parquet: seeds for the mutations of harness/testing/fuzz.

Made with pyarrow 26.0.1:  python make_parquet_golden.py
"""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
rows = 40
table = pa.table({
    "id": pa.array(range(rows), pa.int64()),
    "text": pa.array([f"text {i % 7}" if i % 5 else None for i in range(rows)]),
    "score": pa.array([i / 3 for i in range(rows)], pa.float64()),
})
pq.write_table(table, here / "plain.golden.parquet", compression="zstd", row_group_size=25)
nested = pa.table({
    "items": pa.array([[i, None, i + 1] if i % 3 else [] for i in range(rows)], pa.list_(pa.int32())),
    "where": pa.array([{"lat": i * 0.5, "name": "x" * (i % 4)} for i in range(rows)]),
    "flag": pa.array([i % 2 == 0 for i in range(rows)]),
})
pq.write_table(nested, here / "nested.golden.parquet", compression="snappy", data_page_version="2.0")
