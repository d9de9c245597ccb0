#!/bin/sh
# A bare system of a Debian suite in a folder, and a command run there in a fresh clone of this tree
# (of what is committed): what a newcomer would see.
#
#   third_party/bare.sh [--mirror URL] [--keep] SUITE DIR COMMAND...
#   third_party/bare.sh trixie /var/tmp/trixie ./bptt test
#
# DIR is made with debootstrap where it is not there yet, and stays for the next time with what the
# command installed: remove it to begin anew (nothing stays mounted). --keep: the clone, /root/bptt
# there, stays as well, with what was built. The packages come from URL, or from where those of this
# machine do if it is a Debian. Its proxies, its certificates and npm's settings are taken over. Needs
# root. Exit codes: the command's; 64 wrong usage, 69 root or debootstrap is missing, or no system
# could be made.
set -eu

top=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

say() { printf 'bare.sh: %s\n' "$*" >&2; }
fail() { # fail CODE WORDS
  code=$1
  shift
  say "$*"
  exit "$code"
}

# ---- what is asked for ----

mirror='' keep=''
while :; do
  case ${1:-} in
    --mirror)
      [ $# -ge 2 ] || fail 64 '--mirror needs a URL'
      mirror=$2
      shift
      ;;
    --mirror=*) mirror=${1#--mirror=} ;;
    --keep) keep=yes ;;
    -*) fail 64 "no such option: '$1'; usage: bare.sh [--mirror URL] [--keep] SUITE DIR COMMAND..." ;;
    *) break ;;
  esac
  shift
done
[ $# -ge 3 ] || fail 64 'usage: bare.sh [--mirror URL] [--keep] SUITE DIR COMMAND...'
suite=$1
dir=$2
shift 2
case $suite in
  '' | *[!a-z0-9.-]*) fail 64 "a suite has a name such as trixie or sid, not '$suite'" ;;
esac
made=$dir/etc/bare-suite # there when the system is complete
if [ -e "$made" ]; then
  [ "$(cat "$made")" = "$suite" ] || fail 64 "$dir is a system of $(cat "$made"), not of $suite"
elif [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
  fail 64 "$dir is not empty, and no system that was made here (or one that was not completed: remove it)"
fi
[ "$(id -u)" = 0 ] || fail 69 'root is needed: for debootstrap and chroot'

# ---- the system ----

make_system() {
  command -v debootstrap >/dev/null || fail 69 'debootstrap is missing (Debian package debootstrap)'
  if [ -z "$mirror" ] && grep -qsx 'ID=debian' /etc/os-release; then
    # shellcheck disable=SC2016 # apt-get puts it in
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 2>/dev/null | head -n 1)
  fi
  say "making a bare system of $suite"
  mkdir -p "$dir"
  # Without a mirror, from the one that debootstrap knows.
  debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$dir" ${mirror:+"$mirror"} \
    >"$dir.log" 2>&1 || {
    tail -n 3 "$dir.log" >&2
    fail 69 "debootstrap could not make a system of $suite; the whole log: $dir.log"
  }
  printf '%s\n' "$suite" >"$made"
}

# How this machine reaches the network.
copy_settings() {
  cp -L /etc/resolv.conf /etc/hosts "$dir/etc/"
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|Retries)' >"$dir/etc/apt/apt.conf.d/90host" || :
  for file in /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/npmrc; do
    [ ! -e "$file" ] || cp -r "$file" "$dir$(dirname "$file")/"
  done
  [ ! -f "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$dir/root/"
  if [ -d /usr/local/share/ca-certificates ]; then
    cp -r /usr/local/share/ca-certificates "$dir/usr/local/share/"
    chroot "$dir" update-ca-certificates >/dev/null 2>&1 ||
      say "warning: this machine's certificates were not taken over"
  fi
}

[ -e "$made" ] || make_system
copy_settings
if [ -z "$keep" ] || [ ! -d "$dir/root/bptt" ]; then
  rm -rf "$dir/root/bptt"
  git clone -q "$top" "$dir/root/bptt"
fi

# ---- the command ----

set -- HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  chroot "$dir" sh -c "cd /root/bptt && $*"
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  if value=$(printenv "$name"); then set -- "$name=$value" "$@"; fi
done
# With mounts of its own, so that none stays.
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount sh -euc '
  mount -t proc proc "$1/proc"
  mount --rbind /sys "$1/sys"
  mount --rbind /dev "$1/dev"
  shift
  exec env -i "$@"' sh "$dir" "$@"
