#!/bin/sh
# The guest's first process, in its initramfs: mounts what the command needs, runs it, tells its exit code and switches off.
# Run by busybox, all of whose applets are commands here.
set -u
/bin/busybox --install -s /bin
export PATH=/bin
fail() { echo "guest: $*" >/dev/console; poweroff -f; }

mkdir -p /proc /sys /dev /host /disk /new
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module" || fail "cannot load $module"; done </modules/order
mount -t virtiofs -o ro host /host || fail "cannot see the host's files"
mount -t ext4 /dev/vda /disk || fail "cannot mount the disk"
mkdir /disk/.upper /disk/.work
mount -t overlay -o lowerdir=/host,upperdir=/disk/.upper,workdir=/disk/.work root /new || fail "cannot make the overlay"

mkdir -p /new/disk
mount --bind /disk /new/disk
for folder in proc sys dev; do mount --move "/$folder" "/new/$folder"; done
cd /new || fail "no root"
mount -t tmpfs -o mode=755 run run
mkdir -p run/guest run/lock dev/pts dev/shm dev/mqueue
chmod 700 run/guest
cp /guest/command /bin/busybox run/guest/
mount -t devpts -o ptmxmode=666,mode=620,gid=5 pts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t cgroup2 -o nsdelegate cgroup2 sys/fs/cgroup || fail "no cgroup v2"
# shellcheck disable=SC2046 # A list of names.
printf '+%s ' $(cat sys/fs/cgroup/cgroup.controllers) >sys/fs/cgroup/cgroup.subtree_control
mount -t securityfs security sys/kernel/security
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
hostname guest
ip link set lo up
for port in sys/class/virtio-ports/*; do ln -s "${port##*/}" "dev/guest-$(cat "$port/name")"; done

cat >run/guest/main <<'MAIN'
echo up >/dev/guest-status
sh /run/guest/command </dev/null >/dev/guest-stdout 2>/dev/guest-stderr
echo "exit $?" >/dev/guest-status
exec /run/guest/busybox poweroff -f
MAIN
exec switch_root /new /run/guest/busybox sh /run/guest/main
