# A cluster of this one machine, with a GPU that is none: start_cluster FOLDER, stop_cluster.
# Slurm takes its settings away from jobs, so that they must stand in /etc/slurm.

start_cluster() {
  local folder=$1 host
  host=$(hostname)
  mkdir -p "$folder/state" "$folder/spool"
  cat >/etc/slurm/slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MpiDefault=none
MinJobAge=300
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(free -m | awk '/^Mem/ {print $2}') Gres=gpu:1
PartitionName=main Nodes=$host Default=YES State=UP
CONF
  echo "Name=gpu File=/dev/zero" >/etc/slurm/gres.conf
  install -d -o munge -g munge -m 0755 /run/munge
  if ! munge -n >/dev/null 2>&1; then
    setpriv --reuid=munge --regid=munge --clear-groups munged --pid-file=/run/munge/test.pid
  fi
  touch "$folder/jobs.txt"
  slurmctld -c
  slurmd
  for _ in $(seq 30); do
    [ "$(sinfo --noheader --format %t 2>/dev/null)" = idle ] && return
    sleep 1
  done
  echo "the cluster did not start; $folder/slurmctld.log says why" >&2
  return 1
}

stop_cluster() {
  local folder=$1 pid
  scancel --quiet --user root 2>/dev/null || true
  for pid in "$folder"/slurmd.pid "$folder"/slurmctld.pid /run/munge/test.pid; do
    [ -s "$pid" ] || continue
    pid=$(cat "$pid")
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 30); do # slurmctld saves its state when it ends
      kill -0 "$pid" 2>/dev/null || break
      sleep 1
    done
  done
  rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf
}
