"""
Shared by the peers: every peer prints one JSON line {"value": number, "unit": str, "peak_mib": number, "note": str} and
"cpu_s", the CPU seconds of all threads for one repetition, where `seconds` measured.
"""

import json
import resource
import statistics
import time


cpu_s = None


def seconds(step, repeats, warmup=2, wait=None):
    """
    Median wall seconds of `step()` after `warmup` untimed calls; keeps the mean of its CPU seconds for `report`. `wait` returns when a
    device has done all that it was given.
    """
    global cpu_s
    if wait is not None:
        given = step

        def step():
            given()
            wait()

    for _ in range(warmup):
        step()
    times = []
    before = time.process_time()
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    cpu_s = (time.process_time() - before) / repeats
    return statistics.median(times)


def report(value, unit, note=""):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = {"value": value, "unit": unit, "peak_mib": round(peak, 1), "note": note}
    print(json.dumps(line if cpu_s is None else {**line, "cpu_s": cpu_s}))


def torch_note(torch):
    """Version, threads, and what PyTorch says it computes by on this CPU: instruction set, and AMX, by which oneDNN multiplies bfloat16."""
    if torch.get_default_device().type == "cuda":
        return f"torch {torch.__version__}, {torch.cuda.get_device_name()}"
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: None)()
    tiles = {True: ", AMX", False: ", no AMX", None: ""}[amx]
    return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}{tiles}, {torch.get_num_threads()} threads"
