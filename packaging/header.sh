#!/bin/sh
# joblet: Deno and the program, packed behind this script. The first start unpacks them into a cache folder.
# Words between two @ are filled in by packaging/build.ts. Later starts read a few lines of this and one `ls`.
set -eu
hash=@HASH@
offset=@OFFSET@

# True if what lies in $1 can be run: only root and this user can have put it there or can change it.
# -O asks for this user without a process; the second line of ls is the folder above, whose owner could swap $1.
trusted() {
  [ -x "$1/deno" ] && [ -f "$1/complete" ] && [ ! -h "$1" ] || return 1
  listing=$(cd "$1" && LC_ALL=C ls -ldn . .. 2>/dev/null) || return 1
  owned_here=0 owned_above=0
  [ -O "$1" ] && owned_here=1
  [ -O "$1/.." ] && owned_above=1
  # shellcheck disable=SC2086 # Nine words a line are wanted: mode, links, uid, gid, size, month, day, time, name.
  set -- $listing
  case $1 in d????-??-*) ;; *) return 1 ;; esac
  case ${10} in d????-??-*) ;; *) return 1 ;; esac
  [ "$3" = 0 ] || [ $owned_here = 1 ] || return 1
  [ "${12}" = 0 ] || [ $owned_above = 1 ]
}

# Unpacks into $1/$hash; several may do so at once, whoever renames first wins. Prints what went wrong.
unpack() {
  umask 022
  { mkdir -p "$1" && [ -w "$1" ]; } 2>/dev/null || {
    echo "'$1' can't be written"
    return 1
  }
  # Before anything is written or removed there: in a shared folder for temporary files, others make names first.
  [ -O "$1" ] || {
    echo "'$1' belongs to another user"
    return 1
  }
  new=$(mktemp -d "$1/.new.$$.XXXXXX" 2>&1) || {
    echo "$new"
    return 1
  }
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # tar gives gzip's failure on. The last member, `complete`, names the hash, so nothing else passes for this version.
  if why=$(tail -c "+$offset" "$exe" 2>&1 | tar -xzof - -C "$new" 2>&1) &&
    read -r unpacked <"$new/complete" && [ "$unpacked" = "$hash" ]; then
    chmod 755 "$new"
    # A power cut after the rename must not leave empty files under the final name.
    sync "$new/deno" "$new/main.js" 2>/dev/null || :
    # Fails if another was first: that one is as good.
    mv -T "$new" "$1/$hash" 2>/dev/null || :
    remove_old "$1"
  else
    why=$(printf '%s' "$why" | head -n 1)
    echo "unpacking into '$1' failed: ${why:-the file is damaged}"
    return 1
  fi
}

# Removes versions from the cache folder $1: all but the two newest, and none that a process runs. What an unpacker
# that was killed left goes too.
remove_old() {
  cd "$1" || return 0
  running=$(ls -l /proc/[0-9]*/exe 2>/dev/null || :)
  kept=0
  # shellcheck disable=SC2012 # The names are hashes.
  ls -dt -- *-deno 2>/dev/null | while read -r old; do
    kept=$((kept + 1))
    [ $kept -gt 2 ] || continue
    case $running in *"/$old/deno"*) ;; *) rm -rf -- "$old" ;; esac
  done
  for old in .new.*; do
    pid=${old#.new.} pid=${pid%%.*}
    [ ! -d "$old" ] || [ -d "/proc/$pid" ] || rm -rf -- "$old"
  done
}

start() {
  dir=$1
  shift
  # DENO_DIR holds the code cache, which saves a third of a client's time; not in a folder of another user.
  if [ -w "$dir" ]; then DENO_DIR=$dir/deno-dir; else DENO_DIR=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/joblet/deno-dir; fi
  export DENO_DIR DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1 JOBLET_EXE="$exe"
  exec "$dir/deno" run -A --quiet --no-config --no-lock --no-prompt --cached-only "$dir/main.js" "$@"
}

case $0 in /*) exe=$0 ;; *) exe=$PWD/${0#./} ;; esac
hash=$hash-deno
if [ -n "${JOBLET_CACHE_DIR:-}" ]; then
  case $JOBLET_CACHE_DIR in /*) own=$JOBLET_CACHE_DIR ;; *) own=$PWD/$JOBLET_CACHE_DIR ;; esac
  trusted "$own/$hash" && start "$own/$hash" "$@"
else
  # Root's unpacked copy serves every user.
  trusted "/var/cache/joblet/$hash" && start "/var/cache/joblet/$hash" "$@"
  own=/var/cache/joblet
  [ -w /var/cache ] || own=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/joblet
  trusted "$own/$hash" && start "$own/$hash" "$@"
fi
spare=${TMPDIR:-/tmp}/joblet-$(id -u)
trusted "$spare/$hash" && start "$spare/$hash" "$@"

why=
for base in "$own" "$spare"; do
  if problem=$(unpack "$base"); then
    trusted "$base/$hash" && start "$base/$hash" "$@"
    problem="'$base' is not safe to run from: others may write to it, or it is mounted noexec"
  fi
  why="$why${why:+; }$problem"
done
echo "joblet: Cannot unpack '$exe': $why; set JOBLET_CACHE_DIR to a folder of your own with 200 MB free, or install again" >&2
# What follows is no script.
exit 1
