#!/usr/bin/env bash
# Usage: in_env.sh NAME [VARIABLE=VALUE]... COMMAND...
# Runs COMMAND inside the environment of envs/NAME.lock.
#
# The environment, envs/.venv/NAME, is built or rebuilt first when its stamp does not name this very
# lock at this very place. Snakemake's rules call this for every job, so the usual path costs a
# checksum and an exec. $PYTHON, by default python3, is the interpreter that builds.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=${1:?usage: in_env.sh NAME COMMAND...}
shift
lock=$root/envs/$name.lock
venv=$root/envs/.venv/$name

if [ ! -f "$lock" ]; then
  known=$(cd "$root/envs" && echo *.lock)
  echo "in_env.sh: there is no envs/$name.lock; known are ${known//.lock/}" >&2
  exit 1
fi

if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
digest=$("${sum[@]}" <"$lock")
digest=${digest%% *}

# The stamp names the real place too, since an environment does not survive being moved.
if [ ! -x "$venv/bin/python" ] ||
  [ "$(cat "$venv/built" 2>/dev/null)" != "$digest $(cd "$venv" && pwd -P)" ]; then
  "${PYTHON:-python3}" "$root/workflow/steps/build_env.py" "$lock" "$venv" "$digest" >&2
fi

export PATH=$venv/bin:$PATH VIRTUAL_ENV=$venv PYTHONPATH=$root PYTHONNOUSERSITE=1
unset PYTHONHOME

# Snakemake hands a job its threads as OMP_NUM_THREADS and the like, which TensorFlow does not read.
if [ -n "${OMP_NUM_THREADS:-}" ]; then
  export TF_NUM_INTRAOP_THREADS=$OMP_NUM_THREADS TF_NUM_INTEROP_THREADS=1
fi

# TensorFlow keeps what XLA has compiled for this machine's processor: another job starts at once.
if [ -w "$venv" ] && [ "$name" = tensorflow ]; then
  processor=$(grep -sm1 -E '^(flags|Features)' /proc/cpuinfo || uname -m)
  processor=$("${sum[@]}" <<<"$processor")
  cache="--tf_xla_persistent_cache_directory='$venv/xla/${processor:0:16}'"
  export TF_XLA_FLAGS="${TF_XLA_FLAGS:-$cache --tf_xla_persistent_cache_device_types=CPU}"
fi
# Numbers shall be the same on a GPU, whose matrix units by default round float32 to 11 bits.
export NVIDIA_TF32_OVERRIDE=${NVIDIA_TF32_OVERRIDE:-0}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}

kind=$name
while [[ ${1:-} == [A-Z]*=* ]]; do
  export "$1"
  kind+=,$1
  shift
done

# A run on this machine has processes that have loaded the libraries (workflow/warm). Not for fits in
# the workflow's own environment, since they tell their memory and it loads more than they need, nor
# for what supervises.
if [ -n "${WARM_SERVERS:-}" ] && [ "${OMP_NUM_THREADS:-}" = 1 ] && [ "${1:-} ${2:-}" = "python -m" ]; then
  case "$name ${3:-}" in
    "workflow workflow.steps.fit"* | *" workflow.steps.supervise") ;;
    *) exec python -IS "$root/workflow/warm/client.py" "$kind" "${@:3}" ;;
  esac
fi

# Whatever Snakemake says of a file that it cannot read, the suite says better.
if [ "${1:-}" = snakemake ]; then
  python -m workflow.steps.overlays "${@:2}"
fi

exec "$@"
