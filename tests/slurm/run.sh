#!/usr/bin/env bash
# profiles/slurm on a real Slurm that this script starts and stops: Table I through the queue, one
# GPU job at a time, and a fit that outlives its time limit. Needs root and Debian's slurm-wlm.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/slurm/cluster.sh

skip() { echo "tests/slurm skipped: $1" && exit 0; }
fail() { echo "tests/slurm failed: $1" >&2 && exit 1; }
for program in slurmctld slurmd munged; do
  command -v $program >/dev/null || skip "$program is not installed"
done
[ "$(id -u)" = 0 ] || skip "it starts Slurm, which takes root"
[ ! -e /etc/slurm/slurm.conf ] || skip "this machine belongs to a cluster (/etc/slurm/slurm.conf)"

folder=$(mktemp -d)
trap 'stop_cluster "$folder"; rm -rf "$folder" results/slurm-test results/slurm-test-overtime' EXIT
rm -rf results/slurm-test results/slurm-test-overtime
start_cluster "$folder"

# Asks for a GPU by the command line alone, so that the CPU's environment does the work.
by_slurm() {
  workflow/run/in_env.sh slurm snakemake "$@" --workflow-profile profiles/slurm \
    --set-resources fit:gpu=1 fit:mem_mb=3000 fit:runtime="$minutes" \
    --slurm-init-seconds-before-status-checks 3 --seconds-between-status-checks 3 --latency-wait 5
}

echo "== Table I through the queue"
minutes=10
by_slurm table1 --configfile tests/slurm/table1.yaml 2>&1 | tee "$folder/table1.log"
test -s results/slurm-test/tables/table1.md || fail "Table I was not made"
jobs=$(grep -c JobState=COMPLETED "$folder/jobs.txt")
# Two instances on two datasets, each scored within its fit's job; data and tables are no jobs.
[ "$jobs" = 4 ] || fail "$jobs jobs went through the queue instead of 4"
sed -n 's/.*StartTime=\([^ ]*\) EndTime=\([^ ]*\) .*/\1 \2/p' "$folder/jobs.txt" | sort |
  awk 'last > $1 {exit 1} {last = $2}' || fail "two GPU jobs ran at the same time"

echo "== A fit that outlives its time limit"
minutes=1
if by_slurm table1 --configfile tests/slurm/overtime.yaml 2>&1 | tee "$folder/overtime.log"; then
  fail "a run that lacks a fit ended as if it were whole"
fi
grep -q JobState=TIMEOUT "$folder/jobs.txt" || fail "Slurm did not end the job"
grep -q "DUE TO TIME LIMIT" "$folder/overtime.log" || fail "the run does not say that time ran out"
fits=results/slurm-test-overtime/fit/dcgmm
test -s $fits/A-paper/mnist/not0/seed0/fit.json || fail "the other fit was not made"
test ! -e $fits/E-paper/mnist/not0/seed0/fit.json || fail "the ended fit left a record"
echo "tests/slurm passed"
