#!/bin/sh
# LXC calls this when a container has ended. A reboot from inside boots it anew with the
# configuration as it is now; LXC itself would use the one of the first start, so it is told no.
# Arguments: the stage, the group's name, the container's directory, the checkout, python.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin

stage=$1
group=$2
directory=$3
checkout=$4
python=$5

if [ "${LXC_TARGET:-stop}" = reboot ]; then
    cd "$checkout"
    setsid "$python" -S -m lab.host.boot "$directory" again </dev/null >>"$directory/boot.log" 2>&1 &
    exit 1
fi
for hierarchy in "$stage"/v1/*; do
    if [ -d "$hierarchy/$group" ]; then
        rmdir "$hierarchy/$group"
    fi
done
