"""Shared by the peers: every peer prints one JSON line {"value": number, "unit": str, "peak_mib": number, "note": str}."""

import json
import resource
import statistics
import time


def seconds(step, repeats, warmup=2):
    """Median wall seconds of `step()` after `warmup` untimed calls."""
    for _ in range(warmup):
        step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(value, unit, note=""):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"value": value, "unit": unit, "peak_mib": round(peak, 1), "note": note}))
