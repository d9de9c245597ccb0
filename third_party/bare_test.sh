#!/bin/sh
# Tests of bare.sh with stand-ins for all that needs root or a network. (The real thing takes minutes:
# third_party/bare.sh trixie DIR ./bptt test.)
# Run by ctest (label cli), or by hand: sh third_party/bare_test.sh
set -u

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
dir="$scratch/a system" # the space is part of the test
bin=$scratch/bin
calls=$scratch/calls
err=$scratch/err
export calls scratch HOME="$scratch/home"

failures=0
checks=0
fail() {
  failures=$((failures + 1))
  printf 'FAILED in "%s": %s\n' "$case" "$*"
  sed 's/^/  stderr: /' "$err"
  sed 's/^/  call: /' "$calls"
}
expect() { # expect CONDITION...: a command that must succeed
  checks=$((checks + 1))
  "$@" || fail "$*"
}
expect_not() {
  checks=$((checks + 1))
  if "$@"; then fail "not: $*"; fi
}

stand_in() { # stand_in NAME <<SCRIPT
  {
    # shellcheck disable=SC2016 # the stand-in expands it
    printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"$calls"\n' "$1"
    cat
  } >"$bin/$1"
  chmod +x "$bin/$1"
}

new_world() { # CASE: a user who is root, and nothing made yet
  case=$1
  rm -rf "$dir" "$dir.log" "$bin" "$HOME" "$scratch"/exit-*
  mkdir -p "$bin" "$HOME"
  : >"$calls"
  : >"$err"
  stand_in id </dev/null
  printf 'echo 0\n' >>"$bin/id"
  stand_in apt-get <<'END'
echo http://mirror.example/host
END
  stand_in apt-config <<'END'
echo 'Acquire::http::Proxy "http://proxy.example";'
echo 'APT::Architecture "amd64";'
END
  stand_in debootstrap <<'END'
code=$(cat "$scratch/exit-debootstrap" 2>/dev/null || echo 0)
[ "$code" = 0 ] || { echo 'E: no such thing'; exit "$code"; }
mkdir -p "$4/etc/apt/apt.conf.d" "$4/root" "$4/usr/local/share"
END
  stand_in git <<'END'
mkdir -p "$4"
END
  stand_in chroot </dev/null
  stand_in unshare <<'END'
exit "$(cat "$scratch/exit-unshare" 2>/dev/null || echo 0)"
END
}
bare() { # sets $code
  : >"$calls"
  PATH=$bin:$PATH sh "$source_dir/third_party/bare.sh" "$@" </dev/null >/dev/null 2>"$err"
  code=$?
}
called() { grep -q -- "$1" "$calls"; }
said() { grep -q -- "$1" "$err"; }
exits() { [ "$code" -eq "$1" ]; }
one_line() { [ "$(wc -l <"$err")" -eq 1 ]; }

new_world 'wrong usage is one line, and nothing is made'
for arguments in '' 'trixie' "trixie $scratch/x" '--nosuch trixie x true' '--mirror' \
  "../trixie $scratch/x true" "trixie $source_dir true"; do
  # shellcheck disable=SC2086 # the arguments are words
  bare $arguments
  expect exits 64
  expect one_line
  expect_not called '^debootstrap'
done
expect said "$source_dir is not empty"

new_world 'without root or debootstrap it says so'
printf '#!/bin/sh\necho 1000\n' >"$bin/id"
bare trixie "$dir" true
expect exits 69
expect said 'root is needed'
expect_not called '^debootstrap'

new_world 'a system is made, the tree cloned, the command run there; its exit code passes through'
echo 5 >"$scratch/exit-unshare"
https_proxy='a proxy' bare --mirror http://mirror.example/mine trixie "$dir" ./bptt test -L unit
expect exits 5
expect called "^debootstrap .* trixie $dir http://mirror.example/mine\$"
expect_not called '^apt-get'
expect called "^git clone -q $source_dir $dir/root/bptt\$"
expect called "^unshare --mount "
expect called "chroot $dir sh -c cd /root/bptt && ./bptt test -L unit\$"
expect called 'https_proxy=a proxy '
expect [ "$(cat "$dir/etc/apt/apt.conf.d/90host")" = 'Acquire::http::Proxy "http://proxy.example";' ]

new_world 'it is made once; the clone each time, unless it is to be kept'
bare sid "$dir" true
expect exits 0
bare sid "$dir" true
expect exits 0
expect_not called '^debootstrap'
expect called '^git clone'
bare --keep sid "$dir" true
expect_not called '^git clone'
expect called '^unshare'
bare trixie "$dir" true
expect exits 64
expect said "is a system of sid, not of trixie"
expect_not called '^unshare'

new_world 'what could not be made is no system'
echo 1 >"$scratch/exit-debootstrap"
bare trixie "$dir" true
expect exits 69
expect said 'E: no such thing'
expect said "could not make a system of trixie; the whole log: $dir.log"
expect_not called '^unshare'
rm "$scratch/exit-debootstrap"
bare trixie "$dir" true
expect exits 0

printf '%s checks, %s failed\n' "$checks" "$failures"
[ "$failures" -eq 0 ]
