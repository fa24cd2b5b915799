"""Writes arrays.golden.npz, deflated.golden.npz, plain.golden.npy: references for npy.test.ts.

Made with numpy 2.4.6:  python make_npy_golden.py
"""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
grid = np.arange(24).reshape(2, 3, 4)
arrays = {code.strip("<>|=").replace("?", "b1") + ("_big" if code[0] == ">" else ""): grid.astype(code) for code in
          ["<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", ">f4", ">i8", ">f2"]}
arrays["b1"] = grid % 2 == 0
arrays["fortran"] = np.asfortranarray(grid.astype("<f4"))
arrays["scalar"] = np.float64(2.5)
arrays["empty"] = np.zeros((0, 3), "<f4")
np.savez(here / "arrays.golden.npz", **arrays)
np.savez_compressed(here / "deflated.golden.npz", fortran=arrays["fortran"], f2=arrays["f2"], wide=np.array([2**40, -1]))
np.save(here / "plain.golden.npy", np.array([[1.5, -2.0, 3.25], [0.1, 1e-8, np.inf]], np.float32))
