#!/bin/sh
# Tests of the front door (./bptt) and of the installer, on a copy of both in a folder of its own,
# with nothing on PATH but the system's small utilities and stand-ins for what would install, build,
# measure or need root. Each stand-in writes its name and arguments, one call a line, to $calls.
# Run by ctest (label cli), or by hand: sh bptt_test.sh
set -u

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset BPTT_BUILD_PRESET BPTT_JOBS BPTT_WERROR CXX CMAKE_PREFIX_PATH DEBIAN_FRONTEND
tree="$scratch/a tree" # the space is part of the test
bin=$scratch/bin
calls=$scratch/calls
out=$scratch/out
err=$scratch/err
export calls tree scratch

failures=0
checks=0
fail() {
  failures=$((failures + 1))
  printf 'FAILED in "%s": %s\n' "$case" "$*"
  sed 's/^/  stdout: /' "$out"
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

# ---- the world that the front door sees ----

stand_in() { # stand_in NAME <<SCRIPT
  {
    # shellcheck disable=SC2016 # the stand-in expands it
    printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"$calls"\n' "$1"
    cat
  } >"$bin/$1"
  chmod +x "$bin/$1"
}

# A machine with everything installed and a user who is root. $scratch/dpkg/NAME holds the version
# that is installed; $scratch/archive/NAME the one that apt-get would install.
new_world() {
  case=$1
  rm -rf "$tree" "$bin" "$scratch/dpkg" "$scratch/archive" "$scratch/elsewhere"
  mkdir -p "$tree/third_party" "$bin" "$scratch/dpkg" "$scratch/archive" "$scratch/elsewhere"
  : >"$calls"
  : >"$out"
  : >"$err"
  for tool in sh awk basename cat chmod cksum cp cut date dirname env find grep head ln ls mkdir mv \
    readlink rm sed sort tail touch tr uniq wc xargs; do
    ln -s "$(command -v "$tool")" "$bin/$tool"
  done
  cp "$source_dir/bptt" "$source_dir/CMakePresets.json" "$tree/"
  cp "$source_dir/third_party/install.sh" "$source_dir/third_party/packages.txt" \
    "$source_dir/third_party/progress.sh" "$tree/third_party/"
  printf '{"dependencies": {"echarts": "1.2.3"}}\n' >"$tree/third_party/package.json"
  install_echarts 1.2.3
  sed -n 's/^[a-z][a-z]*  *\([^ ]*\)  *\([^ ]*\) .*/\1 \2/p' "$tree/third_party/packages.txt" |
    while read -r package minimum; do
      printf '%s\n' "$minimum" >"$scratch/dpkg/$package"
      printf '%s\n' "$minimum" >"$scratch/archive/$package"
    done

  stand_in id </dev/null
  printf 'echo 0\n' >>"$bin/id"
  stand_in nproc <<'END'
echo 3
END
  stand_in dpkg-query <<'END'
for package; do :; done
[ -f "$scratch/dpkg/$package" ] || exit 1
printf 'installed %s\n' "$(cat "$scratch/dpkg/$package")"
END
  # A comparison of versions that is enough for those in packages.txt: higher number, newer.
  stand_in dpkg <<'END'
[ "$1 $3" = '--compare-versions ge' ] || exit 2
[ "$(printf '%s\n%s\n' "$2" "$4" | sed 's/^[0-9]*://' | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = \
  "$(printf '%s' "$4" | sed 's/^[0-9]*://')" ]
END
  stand_in apt-get <<'END'
[ "${DEBIAN_FRONTEND:-}" = noninteractive ] || exit 99
case " $* " in
  *' update '*) touch "$scratch/archive/.updated"; exit 0 ;;
esac
if [ -f "$scratch/archive/.stale" ] && ! [ -f "$scratch/archive/.updated" ]; then
  echo 'E: Unable to locate package'
  exit 100
fi
if [ -f "$scratch/archive/.offline" ]; then
  echo 'E: Failed to fetch: Temporary failure resolving'
  echo 'E: Unable to fetch some archives'
  exit 100
fi
for word; do
  if [ -f "$scratch/archive/$word" ]; then cp "$scratch/archive/$word" "$scratch/dpkg/$word"; fi
done
END
  stand_in npm <<'END'
[ -f "$scratch/archive/.offline" ] && { echo 'npm ERR! code ENOTFOUND'; echo 'npm ERR! network is away'; exit 1; }
mkdir -p "$3/node_modules/echarts"
printf '{"version": "1.2.3"}\n' >"$3/node_modules/echarts/package.json"
END
  stand_in cmake <<'END'
if [ -f "$scratch/broken-$1" ]; then cat "$scratch/broken-$1"; exit 1; fi
if [ "$1" = -S ]; then
  build=$2/build/$4
  mkdir -p "$build/bin"
  : >"$build/build.ninja"
  cache=$build/CMakeCache.txt
  strict=$(grep '^BPTT_WERROR' "$cache" 2>/dev/null || echo BPTT_WERROR:BOOL=OFF)
  for word; do case $word in -DBPTT_WERROR=*) strict=BPTT_WERROR:BOOL=${word#*=} ;; esac; done
  printf 'CMAKE_HOME_DIRECTORY:INTERNAL=%s\n%s\n' "$2" "$strict" >"$cache"
  for program in bptt-verify bptt-bench bptt-report; do
    cp "$scratch/bin/program" "$build/bin/$program"
  done
fi
END
  stand_in ctest <<'END'
printf 'in %s\n' "$(pwd -P)"
exit "$(cat "$scratch/exit-ctest" 2>/dev/null || echo 0)"
END
  # What is copied to bptt-verify, bptt-bench and bptt-report; its exit code is in exit-NAME.
  cat >"$bin/program" <<'END'
#!/bin/sh
name=${0##*/}
printf '%s' "$name" >>"$calls"
for word; do printf ' [%s]' "$word" >>"$calls"; done
printf ' in %s\n' "$(pwd -P)" >>"$calls"
exit "$(cat "$scratch/exit-$name" 2>/dev/null || echo 0)"
END
  chmod +x "$bin/program"
  rm -f "$scratch"/broken-* "$scratch"/exit-*
}

install_echarts() {
  mkdir -p "$tree/third_party/node_modules/echarts"
  printf '{"version": "%s"}\n' "$1" >"$tree/third_party/node_modules/echarts/package.json"
}
not_root() { printf '#!/bin/sh\necho 1000\n' >"$bin/id"; }

# bptt ARGS: runs it elsewhere than in its tree; sets $code.
bptt() {
  : >"$calls"
  (cd "$scratch/elsewhere" && PATH=$bin "$tree/bptt" "$@") </dev/null >"$out" 2>"$err"
  code=$?
}
called() { grep -q -- "$1" "$calls"; }
said() { grep -q -- "$1" "$err"; }
count() { [ "$(grep -c -- "$2" "$calls")" -eq "$1" ]; }
lines() { [ "$(wc -l <"$2")" -eq "$1" ]; }
exits() { [ "$code" -eq "$1" ]; }

# ---- usage ----

new_world 'help lists every command'
bptt help
expect exits 0
for command in report test verify bench deps build format lint clean; do
  expect grep -q "^  ./bptt $command" "$out"
done
expect_not called '^cmake'
bptt
expect exits 0
expect grep -q '^  ./bptt report' "$out"

new_world 'wrong usage is one line, and nothing is installed or built'
for arguments in frobnicate 'build --preset nosuch' 'build --preset base' 'build all' 'clean all' \
  'test --preset'; do
  # shellcheck disable=SC2086 # the arguments are words
  bptt $arguments
  expect exits 64
  expect lines 1 "$err"
  expect_not called '^cmake'
done
bptt frobnicate
expect said "'frobnicate'"
BPTT_JOBS=many bptt build
expect exits 64
expect said "'many'"
BPTT_WERROR=yes bptt build
expect exits 64
expect said "BPTT_WERROR must be ON or OFF, not 'yes'"
expect_not called '^cmake'

# ---- installing ----

new_world 'where everything is present nothing is installed and nobody has to be root'
not_root
bptt deps
expect exits 0
expect lines 0 "$err"
expect_not called '^apt-get'
expect_not called '^npm'

new_world 'root installs what is missing, and only that'
rm "$scratch/dpkg/cmake" "$scratch/dpkg/libtbb-dev"
bptt deps
expect exits 0
expect called '^apt-get .*install -y --no-install-recommends cmake libtbb-dev$'
expect_not called 'update'
bptt deps
expect_not called '^apt-get'

new_world 'a package that is too old is installed anew'
echo 2021.5 >"$scratch/dpkg/libtbb-dev"
bptt deps
expect exits 0
expect called '^apt-get .*install .* libtbb-dev$'

new_world 'a package that stays too old is named with what is needed'
echo 2021.5 >"$scratch/dpkg/libtbb-dev"
echo 2021.5 >"$scratch/archive/libtbb-dev"
bptt deps
expect exits 69
expect said 'too old.*libtbb-dev (2021.8 or newer)$'

new_world 'package lists are fetched where apt cannot do without'
rm "$scratch/dpkg/cmake"
touch "$scratch/archive/.stale"
bptt deps
expect exits 0
expect called '^apt-get .*update'
expect count 2 'install .* cmake$'

new_world 'no network is one clear line and exit 69'
rm "$scratch/dpkg/cmake"
touch "$scratch/archive/.offline"
bptt verify
expect exits 69
expect said 'apt-get could not install cmake: Failed to fetch: Temporary failure resolving$'
expect_not called '^cmake'
expect_not called '^bptt-verify'

new_world 'a peer that cannot be installed is one warning, and everything else goes on'
rm "$scratch/dpkg/libdnnl-dev"
touch "$scratch/archive/.offline"
bptt deps
expect exits 0
expect said 'warning: backends are left out .*apt-get could not install libdnnl-dev: Failed to fetch'
bptt verify
expect exits 0
expect_not said 'left out'
expect_not called '^apt-get'
rm "$scratch/archive/.offline"
bptt deps
expect exits 0
expect called '^apt-get .*install -y --no-install-recommends libdnnl-dev$'

new_world 'without root and sudo what is missing is listed, with the cure'
not_root
rm "$scratch/dpkg/cmake" "$scratch/dpkg/g++" "$bin/cmake"
bptt deps
expect exits 69
expect said 'missing: cmake (3.25 or newer), g++ (4:12 or newer); .*--no-install-recommends cmake g++$'
expect_not called '^apt-get'
stand_in cmake </dev/null # not from the archive: it will do
bptt deps
expect exits 69
expect said 'missing: g++ (4:12 or newer); .*--no-install-recommends g++$'

new_world 'sudo is used where it asks for nothing'
not_root
stand_in sudo <<'END'
[ "$1" = -n ] || exit 1
shift
[ "$*" = true ] || exec "$@"
END
rm "$scratch/dpkg/cmake"
bptt deps
expect exits 0
expect called '^sudo -n env DEBIAN_FRONTEND=noninteractive .*apt-get .*install .* cmake$'

new_world 'on another system what cannot be found is listed'
rm "$bin/dpkg-query" "$bin/apt-get" "$bin/npm"
bptt deps
expect exits 69
expect said 'missing: .*libpugixml-dev (1.12 or newer)'
expect said 'g++ (4:12 or newer)'
expect_not said 'cmake (3.25'
stand_in g++ <<'END'
read -r line
[ "$line" != '#include <pugixml.hpp>' ]
END
stand_in ninja </dev/null
bptt deps
expect exits 69
expect said 'missing: libpugixml-dev (1.12 or newer) (names'
stand_in g++ </dev/null
bptt deps
expect exits 0
expect lines 0 "$err"

new_world 'groups: the named one is installed too, an unknown one is wrong usage'
rm "$scratch/dpkg/clang-format-14" "$scratch/dpkg/clang-tidy-14"
bptt deps
expect_not called '^apt-get'
bptt deps lint
expect exits 0
expect called '^apt-get .* clang-format-14 clang-tidy-14$'
bptt deps nosuch
expect exits 64
expect said "'nosuch'"

new_world 'where version 14 of the format and lint tools is not to be had, it says where it is'
rm "$scratch/dpkg/clang-format-14"
touch "$scratch/archive/.offline"
for command in lint format; do
  bptt $command
  expect exits 69
  expect said 'could not install clang-format-14'
  expect said 'of version 14, which Debian 12 has'
done

new_world 'PyTorch is installed and built on demand only'
rm "$scratch/dpkg/libtorch-dev"
bptt verify
expect exits 0
expect_not called '^apt-get'
expect_not called 'BPTT_TORCH'
bptt deps torch
expect exits 0
expect called '^apt-get .*install -y --no-install-recommends libtorch-dev$'
bptt verify
expect called "^cmake -S $tree --preset release -DBPTT_TORCH=ON\$"
bptt verify
expect_not called '^cmake -S'
bptt clean
bptt verify
expect called "^cmake -S $tree --preset release\$"

new_world 'PyTorch that cannot be installed is not built'
rm "$scratch/dpkg/libtorch-dev"
touch "$scratch/archive/.offline"
bptt deps torch
expect exits 69
expect said 'apt-get could not install libtorch-dev'
bptt verify
expect exits 0
expect called "^cmake -S $tree --preset release\$"

# ---- charts ----

new_world 'charts are fetched in the pinned version, without scripts'
install_echarts 1.2.2
bptt deps
expect exits 0
expect called "^npm ci --prefix $tree/third_party --ignore-scripts"
bptt deps
expect_not called '^npm'

new_world 'npm is installed only where there is none'
rm -r "$tree/third_party/node_modules"
mv "$bin/npm" "$scratch/npm"
rm "$scratch/dpkg/npm"
bptt deps
expect exits 0
expect called '^apt-get .* npm$'

new_world 'no charts is a warning, given once'
rm -r "$tree/third_party/node_modules"
touch "$scratch/archive/.offline"
bptt verify
expect exits 0
expect said 'warning: pages come without charts.*network is away'
expect called '^bptt-verify'
bptt verify
expect_not called '^npm'
rm "$scratch/archive/.offline"
bptt deps
expect called '^npm'

# ---- building ----

new_world 'the configuration is run once, and again when what it depends on has changed'
bptt build
expect exits 0
expect called "^cmake -S $tree --preset release\$"
expect called "^cmake --build $tree/build/release --parallel 3\$"
bptt build
expect_not called '^cmake -S'
install_echarts 1.2.4
printf '{"dependencies": {"echarts": "1.2.4"}}\n' >"$tree/third_party/package.json"
bptt build
expect called '^cmake -S'
rm "$scratch/dpkg/libhwy-dev" # installing it may bring a backend that was left out
bptt build
expect called '^cmake -S'
bptt build
expect_not called '^cmake -S'
bptt build --preset=debug
expect called '^cmake -S .* --preset debug'
BPTT_BUILD_PRESET=debug BPTT_JOBS=7 bptt build
expect called "^cmake --build $tree/build/debug --parallel 7\$"

new_world 'warnings are errors where that is asked for, and in lint; the folder keeps it'
bptt verify
expect called "^cmake -S $tree --preset release\$"
BPTT_WERROR=OFF bptt verify # as it is
expect_not called '^cmake -S'
BPTT_WERROR=ON bptt test
expect called "^cmake -S $tree --preset release -DBPTT_WERROR=ON\$"
for arguments in verify bench 'report x.csv' build test; do
  # shellcheck disable=SC2086 # the arguments are words
  bptt $arguments
  expect exits 0
  expect_not called '^cmake -S'
done
BPTT_WERROR=ON bptt build
expect_not called '^cmake -S'
BPTT_WERROR=OFF bptt build
expect called "^cmake -S $tree --preset release -DBPTT_WERROR=OFF\$"
for tool in clang-format-14 clang-tidy-14; do stand_in "$tool" </dev/null; done
bptt lint x.hpp
expect exits 0
expect called "^cmake -S $tree --preset lint -DBPTT_WERROR=ON\$"
BPTT_WERROR=OFF bptt lint x.hpp
expect called "^cmake -S $tree --preset lint -DBPTT_WERROR=OFF\$"
bptt build --preset debug
expect called "^cmake -S $tree --preset debug\$"

new_world 'a tree that was moved is configured from nothing'
bptt build
printf 'CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n' >"$tree/build/release/CMakeCache.txt"
rm "$tree/build/release/.inputs"
touch "$scratch/broken--S"
bptt build
expect exits 70
expect_not test -e "$tree/build/release/CMakeCache.txt"

new_world 'a build that fails shows what failed, without the rest'
cat >"$scratch/broken---build" <<'END'
[1/9] Building good.o
FAILED: bad.o
/usr/bin/g++ bad.cpp
bad.cpp:1:1: error: no good
[2/9] Building other.o
ninja: build stopped: subcommand failed.
END
bptt verify
expect exits 70
expect said 'bad.cpp:1:1: error: no good'
expect_not said 'good.o'
expect_not said 'other.o'
expect_not said '/usr/bin/g++'
expect_not called '^bptt-verify'

new_world 'a configuration that fails shows its error, and is tried again'
printf -- '-- fine\nCMake Error at x:1: no good\n' >"$scratch/broken--S"
bptt test
expect exits 70
expect said 'CMake Error at x:1: no good'
expect_not said '-- fine'
expect_not called '^ctest'
rm "$scratch/broken--S"
bptt test
expect exits 0

# ---- running ----

new_world 'arguments, exit code and directory pass through'
echo 65 >"$scratch/exit-bptt-verify"
bptt verify --golden 'a file' '' "it's"
expect exits 65
expect called "^bptt-verify \[--golden\] \[a file\] \[\] \[it's\] in $scratch/elsewhere\$"
expect called 'parallel 3 --target bptt-verify$'
bptt bench --preset quick
expect called '^bptt-bench \[--preset\] \[quick\] in'
bptt report x.csv --html y.html
expect called '^bptt-report \[x.csv\] \[--html\] \[y.html\] in'
expect count 1 '^bptt-'

new_world 'a build and an installation say how far they are, every half a minute where there is no terminal'
rm "$bin/date"
stand_in date <<'END' # every look at the clock is 20 seconds later
seconds=$(($(cat "$scratch/clock" 2>/dev/null || echo 1000) + 20))
echo "$seconds" | tee "$scratch/clock"
END
ln -sf "$(command -v tee)" "$bin/tee"
stand_in cmake <<'END'
if [ "$1" = -S ]; then
  mkdir -p "$2/build/$4/bin"
  cp "$scratch/bin/program" "$2/build/$4/bin/bptt-verify"
  : >"$2/build/$4/build.ninja"
else
  for part in 1 2 3 4; do echo "[$part/4] Building CXX object of $part"; done
fi
END
stand_in apt-get <<'END'
echo '0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.'
for part in Get:1 Get:2 'Unpacking one' 'Unpacking two' 'Setting up one' 'Setting up two'; do echo "$part ..."; done
for package; do :; done
cp "$scratch/archive/$package" "$scratch/dpkg/"
END
rm "$scratch/dpkg/cmake"
bptt verify
expect exits 0
expect said '^bptt: installing: 3 of 6, about 1:20 left$'
expect said '^bptt: building (release): 2 of 4, about 0:40 left$'
expect said '^bptt: building (release): 4 of 4, about 0:00 left$'
expect grep -qx '\[4/4\] Building CXX object of 4' "$tree/build/release/build.log"
rm -rf "$scratch/clock"

new_world 'test runs ctest in the tree, with its arguments and its exit code'
bptt test -R 'a b' --preset asan -L unit
expect exits 0
expect called '^ctest --preset asan -j 3 -R a b -L unit$'
expect called '^cmake -S .* --preset asan$'
expect grep -qx "in $tree" "$out"
echo 8 >"$scratch/exit-ctest"
bptt test
expect exits 8
expect called '^ctest --preset release -j 3$'

new_world 'report verifies, measures, writes the page and prints its path'
bptt report
expect exits 0
expect [ "$(sed -n 's/^\(bptt-[a-z]*\) .*/\1/p' "$calls" | tr '\n' ' ')" = \
  'bptt-verify bptt-bench bptt-bench bptt-report ' ]
page=$(tail -n 1 "$out")
expect lines 1 "$out"
results=${page%/report.html}
expect test -d "$results"
expect called "^bptt-bench \[--preset\] \[first\] \[--output\] \[$results/first.csv\]"
expect called "^bptt-bench \[--workload\] \[char-lm\] \[--output\] \[$results/char-lm.csv\]"
expect called "^bptt-report \[$results/first.csv\] \[$results/char-lm.csv\] \[--html\] \[$page\]"
expect [ "$(readlink "$tree/results/latest")" = "${results##*/}" ]
bptt report # again: the link is replaced, not entered
expect exits 0
page=$(tail -n 1 "$out")
expect [ -d "$tree/results/latest" ]
expect [ "$tree/results/$(readlink "$tree/results/latest")/report.html" = "$page" ]
expect_not [ -L "$results/${results##*/}" ]

new_world 'report stops at what fails'
echo 1 >"$scratch/exit-bptt-verify"
bptt report
expect exits 1
expect said 'nothing is measured'
expect_not called '^bptt-bench'
expect_not test -e "$tree/results"
echo 0 >"$scratch/exit-bptt-verify"
echo 4 >"$scratch/exit-bptt-bench"
bptt report
expect exits 4
expect_not called '^bptt-report'
expect_not test -e "$tree/results/latest"

new_world 'clean removes the build and nothing else'
bptt build
mkdir "$tree/results"
bptt clean
expect exits 0
expect_not test -e "$tree/build"
expect test -d "$tree/results"

new_world 'it can be called through a link'
ln -s "$tree/bptt" "$scratch/elsewhere/linked"
(PATH=$bin "$scratch/elsewhere/linked" verify) </dev/null >"$out" 2>"$err"
code=$?
expect exits 0
expect called '^bptt-verify'

printf '%s checks, %s failed\n' "$checks" "$failures"
[ "$failures" -eq 0 ]
