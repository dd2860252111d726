#!/bin/sh
# Unpacks a tar archive into an empty image, in a private mount namespace. Arguments: the image,
# where to mount it, how far ids are shifted, the archive, tar's option for its compression.
set -eu

image=$1
stage=$2
shift_by=$3
archive=$4
compression=$5

mkdir -p "$stage"
mount -o loop "$image" "$stage"
chown "$shift_by:$shift_by" "$stage"
rmdir "$stage/lost+found"
exec <"$archive"
# Unprivileged ids need not be able to walk down to here: they start here.
cd "$stage"

unpack() {
    "$@" /usr/bin/env PATH=/usr/bin:/bin tar --extract --file - "$compression" \
        --preserve-permissions --same-owner --numeric-owner \
        --xattrs --xattrs-include='user.*' --xattrs-include='security.capability' \
        --exclude='./dev/*' --exclude='dev/*' --warning=no-timestamp
}

if [ "$shift_by" -gt 0 ]; then
    # As root of a user namespace: file capabilities become those of that namespace, and nothing
    # in the archive can do more than a container could. PATH: see boot.py.
    usernsexec=$(command -v lxc-usernsexec)
    unpack /usr/bin/env PATH=/usr/sbin:/sbin \
        "$usernsexec" -m "b:0:$shift_by:65536" --
else
    unpack /usr/bin/env
fi

cd /
umount "$stage"
