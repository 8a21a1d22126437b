#!/usr/bin/env -S bash -p
# Usage: in_env.sh NAME [VARIABLE=VALUE]... COMMAND...
# Runs COMMAND inside the environment of envs/NAME.lock, with all that decides its results set here.
#
# The environment, envs/.venv/NAME, is built or rebuilt first when its stamp does not name this very
# lock at this very place. Snakemake's rules call this for every job, so the usual path costs a
# checksum and an exec. $PYTHON, by default python3, is the interpreter that builds. By `bash -p`, a
# user's own functions, options and start-up file have no say.
set -euo pipefail
unset CDPATH

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=${1:?usage: in_env.sh NAME COMMAND...}
shift
lock=$root/envs/$name.lock
venv=$root/envs/.venv/$name

if [[ $root == *:* ]]; then
  echo "in_env.sh: $root has a colon in its path, which no environment can stand behind; move the" \
    "repository to a folder without one" >&2
  exit 1
fi
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
  "${PYTHON:-python3}" "$root/workflow/run/build_env.py" "$lock" "$venv" "$digest" >&2
fi

# What a user's shell sets for other programs must not reach these: backends, float types, flags of
# compilers, styles, profiles, start-up files.
for variable in $(compgen -e); do
  case $variable in
    PYTHON | PYTHONDONTWRITEBYTECODE | PYTHONUNBUFFERED) ;;
    PYTHON* | KERAS* | TF_* | XLA_* | JAX_* | TORCH* | PYTORCH_* | ONEDNN_* | DNNL_* | MPL* | \
      MATPLOTLIB* | SNAKEMAKE_* | LC_* | LANG | LANGUAGE | BASH_ENV | ENV | POSIXLY_CORRECT)
      unset "$variable"
      ;;
  esac
done
export PATH=$venv/bin:$PATH VIRTUAL_ENV=$venv PYTHONPATH=$root PYTHONNOUSERSITE=1
export LC_ALL=C.UTF-8 PYTHONUTF8=1

case $name in
  tensorflow*) export KERAS_BACKEND=tensorflow ;;
  # JAX would take most of a GPU's memory at once.
  jax*) export KERAS_BACKEND=jax XLA_PYTHON_CLIENT_PREALLOCATE=false ;;
esac
# Neither Keras' file of settings nor Matplotlib's: the one is read from a folder where nobody writes
# one, the other has nothing in it.
export KERAS_HOME=$venv/keras MPLBACKEND=agg MATPLOTLIBRC=/dev/null
if [ -w "$venv" ]; then export MPLCONFIGDIR=$venv/matplotlib; fi

# Snakemake hands a job its threads as OMP_NUM_THREADS and the like, which TensorFlow does not read.
if [ -n "${OMP_NUM_THREADS:-}" ]; then
  export TF_NUM_INTRAOP_THREADS=$OMP_NUM_THREADS TF_NUM_INTEROP_THREADS=1
fi

# TensorFlow keeps what XLA has compiled for this machine's processor: another job starts at once.
if [ -w "$venv" ] && [ "$name" = tensorflow ]; then
  processor=$(grep -sm1 -E '^(flags|Features)' /proc/cpuinfo || uname -m)
  processor=$("${sum[@]}" <<<"$processor")
  export XLA_CACHE=$venv/xla/${processor:0:16}
  cache=${XLA_CACHE//\\/\\\\}  # TensorFlow reads it in quotes
  export TF_XLA_FLAGS="--tf_xla_persistent_cache_directory=\"${cache//\"/\\\"}\""
  TF_XLA_FLAGS+=" --tf_xla_persistent_cache_device_types=CPU"
fi
# Numbers shall be the same on a GPU, whose matrix units by default round float32 to 11 bits.
export NVIDIA_TF32_OVERRIDE=0 TF_CPP_MIN_LOG_LEVEL=2

while [[ ${1:-} == [A-Z]*=* ]]; do
  export "$1"
  shift
done

if [ "${1:-}" = snakemake ]; then set -- python -m workflow.run.launch "${@:2}"; fi

exec "$@"
