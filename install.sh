#!/bin/sh
# Builds joblet, installs it, makes its certificates and starts its server. Safe to run again; see --help.
set -eu

# Trust the host's certificate authorities too: a registry behind a company's proxy is signed by one of them.
: "${DENO_TLS_CA_STORE:=mozilla,system}"
export DENO_TLS_CA_STORE

root=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
home=/opt/joblet
service=yes
action=install
unit=/etc/systemd/system/joblet.service
# The command lines that the program has besides its own, each behind a link of its name.
faces="rnx jobworker jobc"
# Longest time that a server may take to start or to stop.
patience=30

usage() {
  cat <<'EOF'
usage: ./install.sh [--prefix DIR] [--home DIR] [--no-service]
       ./install.sh --uninstall [--prefix DIR] [--home DIR]

  --prefix DIR   where the program goes, as DIR/bin/joblet, with links of its other names rnx, jobworker and jobc beside
                 it (default /usr/local)
  --home DIR     where configuration, state and logs go (default /opt/joblet)
  --no-service   install only, start no server; works without root where DIRs can be written
  --uninstall    stop the server, remove the program; configuration, state and logs stay
  --help         this text
EOF
}

say() { printf '%s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Prints $1 as an absolute path.
absolute() {
  case $1 in
    "") die "Cannot use an empty folder name" ;;
    *[![:alnum:]/._+-]*) die "Cannot use '$1': letters, digits and /._+- are wanted" ;;
    /*) path=$1 ;;
    *) path=$PWD/$1 ;;
  esac
  while [ "$path" != "${path%/}" ]; do path=${path%/}; done
  printf '%s\n' "$path"
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix | --home) [ $# -ge 2 ] || die "Cannot read '$1' without a folder after it" ;;
    esac
    case $1 in
      --prefix)
        prefix=$(absolute "$2")
        shift
        ;;
      --home)
        home=$(absolute "$2")
        shift
        ;;
      --prefix=*) prefix=$(absolute "${1#*=}") ;;
      --home=*) home=$(absolute "${1#*=}") ;;
      --no-service) service=no ;;
      --uninstall) action=uninstall ;;
      --help | -h)
        usage
        exit 0
        ;;
      *)
        usage >&2
        exit 2
        ;;
    esac
    shift
  done
}

check_machine() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64 | Linux/aarch64) ;;
    *) die "Cannot install on $(uname -s) $(uname -m): Linux on x86_64 or aarch64 is wanted" ;;
  esac
  [ "$(id -u)" = 0 ] || [ $service = no ] ||
    die "Cannot start a server as $(id -un): run this as root, or give --no-service to install the client alone"
}

build() {
  deno=$("$root/packaging/deno.sh")
  (cd "$root" && "$deno" run -A --quiet packaging/build.ts)
}

# Puts file $1 at $2 with mode $3 unless it is there already. By rename: a running program keeps its old file whole.
put() {
  if cmp -s "$1" "$2"; then return 0; fi
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new.$$"
  chmod "$3" "$2.new.$$"
  mv -f "$2.new.$$" "$2"
}

install_program() {
  put "$root/dist/joblet" "$exe" 755 || die "Cannot write $exe: root, or another --prefix, is wanted"
  # The first start of a self-extracting file unpacks it; better now than under the first user.
  version=$("$exe" --version) || die "Cannot run $exe: see the line above"
  say "Installed $exe: $version"
}

# True if $1 is a link that this script made.
is_face() { [ -h "$1" ] && [ "$(readlink "$1")" = joblet ]; }

link_faces() {
  for face in $faces; do
    link=$prefix/bin/$face
    if is_face "$link"; then continue; fi
    if [ -e "$link" ] || [ -h "$link" ]; then
      say "Left $link as it is, which is not joblet's; 'joblet $face' does the same as the link would"
      continue
    fi
    ln -s joblet "$link" || die "Cannot make the link $link: root, or another --prefix, is wanted"
  done
}

unlink_faces() {
  for face in $faces; do
    if is_face "$prefix/bin/$face"; then rm -f "$prefix/bin/$face"; fi
  done
}

make_home() {
  mkdir -p "$home" || die "Cannot make $home: root, or another --home, is wanted"
  for folder in config state logs run; do
    [ -d "$home/$folder" ] || mkdir -m 700 "$home/$folder"
    # Keys, and the output of everyone's jobs.
    chmod 700 "$home/$folder"
  done
  [ -e "$home/config/joblet-config.yml" ] || JOBLET_HOME=$home "$exe" certs init
}

# Prints the pid of the server of this home, which stands in the lock file that the server keeps open. Fails if none runs.
server_pid() {
  lock=$home/run/server.lock
  [ -s "$lock" ] && read -r pid <"$lock" && [ "$pid" -gt 1 ] || return 1
  # An old pid may be another program's by now.
  find -L "/proc/$pid/fd" -maxdepth 1 -samefile "$lock" 2>/dev/null | grep -q . && printf '%s\n' "$pid"
}

# True if process $1 runs the file that is installed now: the same unpacked folder, or the file itself, not one since
# replaced.
runs_this_build() {
  running=$(readlink "/proc/$1/exe") || return 1
  [ "$running" = "$exe" ] && return 0
  build_hash=$(hash_of "$exe")
  case $running in */"$build_hash"-deno/deno) [ -n "$build_hash" ] ;; *) return 1 ;; esac
}

# The hash in the head of a self-extracting file; nothing for a compiled one.
hash_of() {
  head -n 20 "$1" 2>/dev/null | tr -d '\0' | sed -n 's/^hash=\([0-9a-f]\{16\}\)$/\1/p'
}

# Waits until the command holds, for the length of the patience. Nothing to wait on can be had from a shell.
wait_until() {
  tries=$((patience * 10))
  until "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.1
  done
}

# True if process $1 has ended; one that its parent has not collected yet (Z) counts.
has_ended() {
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [ -z "$state" ] || [ "$state" = Z ]
}

is_listening() { tail -c "+$log_start" "$log" | grep -q '^listening on '; }
is_settled() { is_listening || has_ended "$started"; }
answers() { JOBLET_HOME=$home "$exe" ps >/dev/null 2>&1; }

# Stops the server of this home, if one runs. Its jobs run on, and the next server takes them over.
stop_server() {
  if pid=$(server_pid); then
    kill -TERM "$pid"
    wait_until has_ended "$pid" || die "Cannot stop the server with pid $pid within $patience s: look at $home/run/server.log"
  fi
}

has_systemd() { [ -d /run/systemd/system ]; }

start_with_systemd() {
  # Only the characters that `absolute` lets through stand in the two paths.
  sed -e "s|@EXE@|$exe|" -e "s|@HOME@|$home|" "$root/packaging/joblet.service" >"$home/run/joblet.service"
  changed=no
  if ! cmp -s "$home/run/joblet.service" "$unit"; then changed=yes; fi
  put "$home/run/joblet.service" "$unit" 644
  systemctl daemon-reload
  systemctl enable --quiet joblet.service
  if [ $changed = no ] && systemctl is-active --quiet joblet.service && pid=$(server_pid) && runs_this_build "$pid"; then
    say "The server runs already (pid $pid)"
    return
  fi
  # One that was started by hand holds the lock of the home folder.
  systemctl stop joblet.service
  stop_server
  systemctl start joblet.service
  wait_until answers || die "The server does not answer: see 'journalctl -u joblet.service'"
  say "The server runs as joblet.service"
}

start_in_background() {
  if pid=$(server_pid) && runs_this_build "$pid"; then
    say "The server runs already (pid $pid)"
    return
  fi
  stop_server
  log=$home/run/server.log
  log_start=1
  if [ -e "$log" ]; then log_start=$(($(wc -c <"$log") + 1)); fi
  # In a session of its own, so that closing this terminal does not end it.
  (umask 077 && JOBLET_HOME=$home exec setsid "$exe" server >>"$log" 2>&1 </dev/null) &
  started=$!
  wait_until is_settled || die "The server does not say that it listens: look at $log"
  is_listening || die "The server did not start: $(tail -c "+$log_start" "$log" | tail -n 1)"
  say "The server runs (pid $started), $(tail -c "+$log_start" "$log" | grep '^listening on ' | tail -n 1)"
}

install_all() {
  check_machine
  build
  install_program
  link_faces
  make_home
  if [ $service = no ]; then
    say "No server was started; '$exe server' does"
  elif has_systemd; then
    start_with_systemd
  else
    start_in_background
  fi
  [ "$home" = /opt/joblet ] || say "This is not the default home: export JOBLET_HOME=$home"
  case :$PATH: in *:"$prefix/bin":*) ;; *) say "$prefix/bin is not on the PATH" ;; esac
}

# Removes the unpacked copies of the program at $exe. Those of other users and of other versions are left alone.
remove_cache() {
  build_hash=$(hash_of "$exe")
  [ -n "$build_hash" ] || return 0
  running=$(ls -l /proc/[0-9]*/exe 2>/dev/null || :)
  for cache in "${JOBLET_CACHE_DIR:-/var/cache/joblet}" "${XDG_CACHE_HOME:-$HOME/.cache}/joblet"; do
    # A server of another home may run it; it would miss its files at the next lazy import.
    case $running in *"$cache/$build_hash-deno/deno"*) continue ;; esac
    rm -rf "$cache/$build_hash-deno"
    # Goes only if nothing else is in it.
    rmdir "$cache" 2>/dev/null || :
  done
}

uninstall() {
  if has_systemd && [ -e "$unit" ] && grep -q "^ExecStart=$exe server\$" "$unit"; then
    systemctl disable --now --quiet joblet.service
    rm -f "$unit"
    systemctl daemon-reload
  fi
  stop_server
  remove_cache
  unlink_faces
  rm -f "$exe"
  say "Removed $exe"
  [ ! -d "$home" ] || say "Left $home with configuration, state and logs; jobs that run go on"
}

read_arguments "$@"
exe=$prefix/bin/joblet
case $action in
  install) install_all ;;
  uninstall) uninstall ;;
esac
