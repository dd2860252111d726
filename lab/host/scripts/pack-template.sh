#!/bin/sh
# Turns a root file system into a template: without what is this machine's or one container's own.
# Arguments: the root file system, the archive to write.
set -eu

root=$1
archive=$2

chroot "$root" update-ca-certificates
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/apt/sources.list"
rm -f "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
for directory in var/lib/apt/lists var/cache/apt var/cache/debconf var/log tmp run; do
    find "$root/$directory" -mindepth 1 ! -type d -delete
done
find "$root/usr/share/man" "$root/usr/share/doc" "$root/usr/share/locale" \
    ! -type d ! -name copyright ! -name locale.alias -delete
tar --create --file "$archive" --zstd --directory "$root" --numeric-owner --sort=name \
    --xattrs --xattrs-include='security.capability' --exclude='./dev/*' .
