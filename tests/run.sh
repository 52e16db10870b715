#!/bin/sh
# Installs what the tests need, then runs the whole gate, `deno task ok`. Works from any folder, and again and again.
set -eu

# Trust the host's certificate authorities too: a registry behind a company's proxy is signed by one of them.
: "${DENO_TLS_CA_STORE:=mozilla,system}"
export DENO_TLS_CA_STORE

root=$(cd "$(dirname "$0")/.." && pwd)

# Prints the Debian packages that are missing, judged by a program of each.
missing_packages() {
  while read -r program package; do
    command -v "$program" >/dev/null 2>&1 || printf '%s ' "$package"
  done <<'EOF'
gcc gcc
ld binutils
objdump binutils
aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
aarch64-linux-gnu-objdump binutils-aarch64-linux-gnu
node nodejs
openssl openssl
ps procps
unshare util-linux
nsenter util-linux
python3 python3
bash bash
diff diffutils
shellcheck shellcheck
qemu-system-x86_64 qemu-system-x86
/usr/lib/qemu/virtiofsd qemu-system-common
/bin/busybox busybox-static
cpio cpio
/sbin/modprobe kmod
/sbin/mkfs.ext4 e2fsprogs
EOF
  # The kernel of the guest that the probes run in.
  set -- /boot/vmlinuz-*-cloud-amd64
  [ -e "$1" ] || printf 'linux-image-cloud-amd64 '
}

install_packages() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "tests/run.sh: Cannot install Debian packages without root; wanted: $missing" >&2
    exit 1
  fi
  echo "Installing Debian packages: $missing"
  apt-get update -qq
  # shellcheck disable=SC2086 # A list of names.
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

install_packages
deno=$("$root/packaging/deno.sh")
PATH=$(dirname "$deno"):$PATH
export PATH
# A feature that is absent on a developer's machine skips its tests; where CI runs, it must be there.
if [ "${CI:-}" = true ]; then
  JOBLET_TESTS_REQUIRED=1
  export JOBLET_TESTS_REQUIRED
fi
cd "$root"
exec deno task --quiet ok
