#!/bin/sh
# LXC calls this when a container's init is about to run: puts it into its cgroup v1 groups and
# writes down its id. Arguments: the stage, the group's name, the container's directory.
set -eu

stage=$1
group=$2
directory=$3

for hierarchy in "$stage"/v1/*; do
    if [ -d "$hierarchy/$group" ]; then
        echo "$LXC_PID" >"$hierarchy/$group/cgroup.procs"
    fi
done
echo "$LXC_PID" >"$directory/init.pid"
