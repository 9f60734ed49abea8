#!/usr/bin/env bash
# stop.sh DIR: cancel the jobs, and end the daemons that start.sh DIR started.
DIR=$(realpath "$1")
export SLURM_CONF=$DIR/slurm.conf
timeout 10 scancel --user="$(id -un)"
for _ in $(seq 50); do
  [ -z "$(timeout 10 squeue --noheader)" ] && break
  sleep 0.1
done
# Nothing of their state is wanted.
for name in n1 n2 n3 n4 slurmctld munged; do
  pid=$(cat "$DIR/$name.pid" 2>/dev/null) && kill -KILL "$pid" 2>/dev/null
done
exit 0
