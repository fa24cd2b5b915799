#!/bin/sh
# What saxbench's backend webgpu does on this machine's GPU: its tests, then the speed table beside PyTorch, in under ten minutes.
# Ends within a minute where there is no driver. `--quick` shows only that everything runs.
cd "$(dirname "$0")" || exit 1
PATH="$PWD:$PATH"
[ -e "$HOME/.cache" ] || export XDG_CACHE_HOME="$PWD/cache"
seconds=${SAXBENCH_GPU_SECONDS:-570}
began=$(date +%s)
left() { echo $((seconds - $(date +%s) + began)); }

said=$(timeout 60 node dist/harness/cli.js doctor 2>&1 | grep 'backend webgpu')
echo "$said"
case $said in ok*) ;; *) exit 1 ;; esac

SAXBENCH_TEST_BACKEND=webgpu timeout "$(left)" node --import tsx harness/testing/run-tests/run-tests.ts --jobs 1 \
  '^harness/webgpu/|^harness/num/(optimiser|ops/(ops|topk-encode|dense-encode))' >tests.log 2>&1
grep -E '^  (Total|Passed|Skipped):|FAIL' tests.log

device=cpu
python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null && device=cuda
[ -e gpt2-sized ] || timeout 60 python3 harness/perf/peers/gpt2_sized.py models/pretrained/tiny-lm-planted gpt2-sized 2>/dev/null ||
  echo "no PyTorch with transformers here: the forward pass of GPT-2's size is left out"
timeout "$(left)" node dist/harness/perf/perf.js --gpu "$device" --rounds 1 "$@" | tee table.md
