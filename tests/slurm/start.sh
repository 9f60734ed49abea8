#!/usr/bin/env bash
# start.sh DIR: a real SLURM on this machine, for tests; `. DIR/env.sh` to use it, stop.sh DIR to end
# it. Needs Debian's slurm-wlm and munge. No systemd, no cgroups, loopback only. DIR must be short
# (sockets) and open to all (munge).
# Partition `test`, the default, has the nodes n1 and n2; `fragile` has n3, and n4 when n3 has died,
# and its jobs make way for those of `urgent`.
set -euo pipefail
DIR=$(realpath "$1")
HOST=$(hostname -s)
PORT=$((12000 + $$ % 5000 * 5))
export PATH=$PATH:/usr/sbin:/sbin SLURM_CONF=$DIR/slurm.conf
umask 022

mkdir -p "$DIR"/{bin,state,n1,n2,n3,n4}

(umask 077 && head -c 128 /dev/urandom >"$DIR/munge.key")
munged --key-file="$DIR/munge.key" --socket="$DIR/munge.socket" --pid-file="$DIR/munged.pid" \
  --log-file="$DIR/munged.log" --seed-file="$DIR/munge.seed"

# cred_expire: so long a requeued job waits. Memory is promised, not checked. The GPU of n2 is none:
# enough for a job that asks for one to land there.
cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$DIR/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=$PORT
SlurmctldPidFile=$DIR/slurmctld.pid
SlurmctldLogFile=$DIR/slurmctld.log
SlurmctldTimeout=30
StateSaveLocation=$DIR/state
SlurmdPidFile=$DIR/%n.pid
SlurmdLogFile=$DIR/%n.log
SlurmdSpoolDir=$DIR/%n
SlurmdTimeout=10
SlurmdParameters=config_overrides
PlugStackConfig=$DIR/plugstack.conf
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=n1 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 1)) CPUs=2 RealMemory=32000
NodeName=n2 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 2)) CPUs=2 RealMemory=32000 Gres=gpu:none:1 Weight=2
NodeName=n3 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 3)) CPUs=2 RealMemory=32000
NodeName=n4 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 4)) CPUs=2 RealMemory=32000 Weight=2
PartitionName=fragile Nodes=n3,n4 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=n3,n4 MaxTime=INFINITE State=UP PriorityTier=2
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
echo "NodeName=n2 Name=gpu Type=none File=/dev/null" >"$DIR/gres.conf"
: >"$DIR/plugstack.conf"
# Inside a job the executor drops all SLURM variables before it calls srun.
printf '#!/bin/sh\nSLURM_CONF=%s exec /usr/bin/srun "$@"\n' "$SLURM_CONF" >"$DIR/bin/srun"
chmod 755 "$DIR/bin/srun"
printf 'export SLURM_CONF=%s PATH=%s:$PATH\n' "$SLURM_CONF" "$DIR/bin" >"$DIR/env.sh"

slurmctld
for node in n1 n2 n3 n4; do slurmd -N $node; done
for _ in $(seq 150); do
  [ "$(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | sort -u | wc -l)" = 4 ] && exit
  sleep 0.2
done
echo "the nodes did not come up, see the logs in $DIR" >&2
exit 1
