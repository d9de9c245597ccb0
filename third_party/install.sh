#!/bin/sh
# Installs what bptt is built with: install.sh [--once] [GROUP...]
#
# The packages of groups `build` and `peers` and of each GROUP (packages.txt) come from Debian's
# archive, Apache ECharts (package-lock.json) from npm. Where all of it is present nothing is run and no rights are
# needed; otherwise apt-get is run as root or through sudo, and never asks a question. Where there
# is no apt, what is missing is listed. --once: charts and peers that could not be had before are
# not tried again. Exit codes: 0 all there (charts and peers may be missing: that is only a warning),
# 64 unknown group, 69 something is missing and could not be installed.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
top=$(dirname -- "$here")
state=$top/build
log=$state/deps.log            # what apt-get and npm printed last
installed_stamp=$state/deps.stamp   # changes with each installation: ./bptt configures anew then
no_peers=$state/no-peers       # there where peers could not be installed
with_torch=$state/with-torch   # there once group torch was installed: ./bptt builds its backend then
no_charts=$state/no-charts     # there where charts were tried for and could not be fetched

# shellcheck source=third_party/progress.sh
. "$here/progress.sh"

say() { printf 'bptt: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- what there is ----

# installed PACKAGE MINIMUM: dpkg has it, in that version or a newer one.
installed() {
  dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | {
    while read -r status version; do
      [ "$status" = installed ] && dpkg --compare-versions "$version" ge "$2" && exit 0
    done
    exit 1
  }
}

compiles_header() { # $name
  for compiler in ${CXX:-} c++ g++ clang++; do
    has "$compiler" && (
      set --
      IFS=:
      for prefix in ${CMAKE_PREFIX_PATH:-}; do set -- "$@" "-I$prefix/include"; done
      printf '#include <%s>\n' "$name" | "$compiler" -std=c++20 "$@" -E -x c++ -
    ) >/dev/null 2>&1 && return 0
  done
  return 1
}

# probed KIND:NAME,NAME...: one of these commands or headers can be found; `-` is not looked for.
probed() {
  [ "$1" = - ] && return 0
  kind=${1%%:*}
  names=${1#*:}
  while [ -n "$names" ]; do
    name=${names%%,*}
    case $kind in
      command) has "$name" && return 0 ;;
      header) compiles_header && return 0 ;;
    esac
    case $names in *,*) names=${names#*,} ;; *) names= ;; esac
  done
  return 1
}

# missing installed|probed|both GROUP...: the packages of the groups that are not there, one a line;
# both: neither in dpkg's list nor to be found.
missing() {
  how=$1
  shift
  for group in "$@"; do
    while read -r of package minimum probe; do
      [ "$of" = "$group" ] || continue
      case $how in
        installed) installed "$package" "$minimum" ;;
        probed) probed "$probe" ;;
        both) installed "$package" "$minimum" || probed "$probe" ;;
      esac || printf '%s (%s or newer)\n' "$package" "$minimum"
    done <"$here/packages.txt"
  done | sort -u
}

names() { sed 's/ (.*//' | tr '\n' ' ' | sed 's/ $//'; }   # of a list by missing()
listed() { sed 's/$/,/' | tr '\n' ' ' | sed 's/, $//'; }   # the same list on one line

# ---- apt ----

# How to become root without asking anything of somebody who is not there: '', 'sudo', or false.
find_root() {
  if [ "$(id -u)" = 0 ]; then sudo=''
  elif has sudo && [ -t 0 ]; then sudo=sudo
  elif has sudo && sudo -n true >/dev/null 2>&1; then sudo='sudo -n'
  else return 1
  fi
}

apt() {
  # shellcheck disable=SC2086 # $sudo is none, one or two words
  follow_command 'installing' count_apt "$log" \
    $sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# install PACKAGES: false, with the reason in $reason, where they cannot be installed. The package
# lists are fetched only where apt cannot do with those it has.
install() {
  reason=
  # shellcheck disable=SC2086 # the packages are words
  if apt install -y --no-install-recommends $1; then return 0; fi
  # shellcheck disable=SC2086
  if apt update && apt install -y --no-install-recommends $1; then return 0; fi
  reason=$(sed -n 's/^E: //p' "$log" | head -n 1)
  reason=${reason:-see $log}
  return 1
}

installed_something() {
  printf '%s %s\n' "$(date -u +%Y%m%dT%H%M%SZ)" "$*" >"$installed_stamp"
}

# packages GROUP...: all of them present, or false with the reason in $reason.
packages() {
  if ! has dpkg-query || ! has apt-get; then
    absent=$(missing probed "$@")
    [ -z "$absent" ] && return 0
    reason="missing: $(printf '%s\n' "$absent" | listed) (names of Debian packages; this system \
has no apt-get, so install what corresponds to them)"
    return 1
  fi
  absent=$(missing installed "$@")
  [ -z "$absent" ] && return 0
  if ! find_root; then
    # What is not from Debian's archive will do just as well.
    absent=$(missing both "$@")
    [ -z "$absent" ] && return 0
    wanted=$(printf '%s\n' "$absent" | names)
    reason="missing: $(printf '%s\n' "$absent" | listed); without root or sudo they cannot be \
installed here. Run as root: apt-get install --no-install-recommends $wanted"
    return 1
  fi
  wanted=$(printf '%s\n' "$absent" | names)
  say "installing $wanted"
  if ! install "$wanted"; then
    reason="apt-get could not install $wanted: $reason"
    return 1
  fi
  installed_something "$wanted"
  absent=$(missing installed "$@")
  [ -z "$absent" ] && return 0
  reason="too old in this system's archive: $(printf '%s\n' "$absent" | listed)"
  return 1
}

# ---- charts ----

# json_value FILE KEY: the value of the first "KEY": "..." in a JSON file; nothing where there is none.
json_value() { sed -n 's/.*"'"$2"'": *"\([^"]*\)".*/\1/p' "$1" 2>/dev/null | head -n 1; }

# charts: Apache ECharts in the pinned version, or false with the reason in $reason.
charts() {
  pinned=$(json_value "$here/package.json" echarts)
  there=$(json_value "$here/node_modules/echarts/package.json" version)
  [ -n "$there" ] && [ "$there" = "$pinned" ] && return 0
  if [ -n "$once" ] && [ -f "$no_charts" ]; then return 0; fi
  has npm || packages charts || return 1
  say "fetching Apache ECharts $pinned"
  if npm ci --prefix "$here" --ignore-scripts --no-audit --no-fund --no-update-notifier \
    </dev/null >"$log" 2>&1; then
    rm -f "$no_charts"
    installed_something "echarts $pinned"
    return 0
  fi
  reason=$(sed -n 's/^npm [Ee][Rr][Rr][A-Za-z!]* //p' "$log" |
    grep -Ev '^(code|syscall|errno|path) ' | head -n 1)
  reason="npm: ${reason:-see $log}"
  return 1
}

# ---- main ----

once=
if [ "${1:-}" = --once ]; then
  once=yes
  shift
fi
for group in "$@"; do
  if ! grep -q "^$group " "$here/packages.txt"; then
    say "no such group of packages: '$group'; there are: $(sed -n 's/^\([a-z]*\) .*/\1/p' \
      "$here/packages.txt" | sort -u | tr '\n' ' ')"
    exit 64
  fi
done

mkdir -p "$state"
if ! packages build "$@"; then
  say "$reason"
  exit 69
fi
for group in "$@"; do
  [ "$group" != torch ] || : >"$with_torch"
done
if [ -z "$once" ] || ! [ -f "$no_peers" ]; then
  if packages peers; then
    rm -f "$no_peers"
  else
    say "warning: backends are left out until \`./bptt deps\` can install their libraries: $reason"
    : >"$no_peers"
  fi
fi
if ! charts; then
  say "warning: pages come without charts until \`./bptt deps\` can fetch them: $reason"
  : >"$no_charts"
fi
