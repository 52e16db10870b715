#!/bin/sh
# Prints the path of a Deno of exactly the version that .deno-version names, fetching it if need be.
# Looks at: PATH, then ${XDG_CACHE_HOME:-$HOME/.cache}/joblet/toolchain/deno-<version>/deno. Fetches into the latter.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
read -r version <"$root/.deno-version"
toolchain=${XDG_CACHE_HOME:-$HOME/.cache}/joblet/toolchain/deno-$version
scratch=

say() { printf 'joblet: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# True if $1 runs and is of the wanted version, no older and no newer: later 2.9.x crash as HTTP/2 servers.
is_wanted() {
  first=$("$1" --version 2>/dev/null) || return 1
  case $first in "deno $version "*) return 0 ;; esac
  return 1
}

# Sets npm_package and target for this machine.
read_architecture() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64) npm_package=@deno/linux-x64-glibc target=x86_64-unknown-linux-gnu ;;
    Linux/aarch64) npm_package=@deno/linux-arm64-glibc target=aarch64-unknown-linux-gnu ;;
    *) die "Cannot build for $(uname -s) on $(uname -m): Linux on x86_64 or aarch64 is wanted" ;;
  esac
}

# The npm client checks the package's integrity itself.
fetch_with_npm() {
  say "fetching Deno $version with npm"
  (cd "$scratch" && npm pack --silent "$npm_package@$version" >/dev/null) || return 1
  tar -xzf "$scratch"/*.tgz -C "$scratch" || return 1
  mv "$scratch/package/deno" "$scratch/deno"
}

# The checksum lies beside the archive, so it guards against a broken transfer; TLS vouches for the host.
fetch_with_curl() {
  have unzip || install_packages unzip || return 1
  say "fetching Deno $version from its releases"
  archive=deno-$target.zip
  url=https://github.com/denoland/deno/releases/download/v$version/$archive
  curl -fsSL --connect-timeout 5 -o "$scratch/$archive" "$url" || return 1
  curl -fsSL --connect-timeout 5 -o "$scratch/sum" "$url.sha256sum" || return 1
  read -r wanted _ <"$scratch/sum" || return 1
  actual=$(sha256sum "$scratch/$archive") || return 1
  if [ "${actual%% *}" != "$wanted" ]; then
    say "the checksum of $archive is ${actual%% *}, not $wanted"
    return 1
  fi
  unzip -q "$scratch/$archive" deno -d "$scratch"
}

# Installs Debian packages where that is possible at all.
install_packages() {
  have apt-get && [ "$(id -u)" = 0 ] || return 1
  say "installing Debian packages: $*"
  # An image without package lists can't install anything before an update.
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return 0
  apt-get update -qq >&2 || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

fetch() {
  { have npm && fetch_with_npm; } || { have curl && fetch_with_curl; } ||
    { ! have npm && install_packages npm && fetch_with_npm; } ||
    die "Cannot get Deno $version: neither npm nor the official download worked; put deno $version on the PATH"
}

found=$(command -v deno || true)
if [ -n "$found" ] && is_wanted "$found"; then
  echo "$found"
  exit 0
fi
if ! is_wanted "$toolchain/deno"; then
  read_architecture
  # Others may not write here: what lies here is run.
  umask 022
  mkdir -p "$toolchain"
  # In the target folder, so that the rename at the end is atomic: several of us may run at once, the last one wins.
  scratch=$(mktemp -d "$toolchain/.fetch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  fetch
  chmod 755 "$scratch/deno"
  is_wanted "$scratch/deno" || die "Cannot use the Deno that was fetched: it does not run as version $version"
  mv -f "$scratch/deno" "$toolchain/deno"
fi
echo "$toolchain/deno"
