#!/bin/sh
# Removes a lab's empty groups from cgroup v1 hierarchies, which may be mounted nowhere else: runs
# in a private mount namespace. Arguments: where to mount, the group's name, controllers.
set -eu

stage=$1
name=$2
shift 2

mkdir -p "$stage"
for controller; do
    mount -t cgroup -o "$controller" cgroup "$stage"
    if [ -d "$stage/$name" ]; then
        find "$stage/$name" -depth -type d -exec rmdir {} +
    fi
    umount "$stage"
done
