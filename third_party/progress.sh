# shellcheck shell=sh
# How far a long command is, for a person who waits for it: one line that changes on a terminal, a
# line every half a minute elsewhere. Sourced by bptt and by install.sh; needs nothing but sh.

# follow_command WHAT COUNT LOG COMMAND...: runs COMMAND silently, its output in LOG, and says on
# stderr how far WHAT is. COUNT is called with each line of output; it sets `done_parts` and
# `all_parts`, of which there are 0 until it knows. The status is COMMAND's.
follow_command() {
  follow_what=$1 follow_count=$2 follow_log=$3
  shift 3
  {
    if "$@" </dev/null 2>&1; then follow_status=0; else follow_status=$?; fi
    printf '%s\n' "$follow_status" >"$follow_log.status"
  } | follow_lines
  # Where the disk is full there is none.
  follow_status=$(cat "$follow_log.status" 2>/dev/null) || follow_status=1
  rm -f "$follow_log.status"
  return "${follow_status:-1}"
}

follow_lines() {
  begun=$(date +%s)
  told=$begun
  done_parts=0 all_parts=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    "$follow_count" "$line"
    [ "$all_parts" -gt 0 ] || continue
    now=$(date +%s)
    if [ -t 2 ]; then
      [ "$now" -eq "$told" ] || printf '\r%s\033[K' "$(how_far)" >&2
      told=$now
    elif [ "$((now - told))" -ge 30 ]; then
      printf '%s\n' "$(how_far)" >&2
      told=$now
    fi
  done 3>"$follow_log"
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# "bptt: building (release): 134 of 285, about 2:10 left"
how_far() {
  spent=$((now - begun))
  left=
  # The first parts say little about the rest.
  if [ "$spent" -ge 5 ] && [ "$done_parts" -gt 0 ]; then
    seconds=$((spent * (all_parts - done_parts) / done_parts))
    left=$(printf ', about %d:%02d left' "$((seconds / 60))" "$((seconds % 60))")
  fi
  printf 'bptt: %s: %s of %s%s' "$follow_what" "$done_parts" "$all_parts" "$left"
}

# Ninja: "[134/285] Building CXX object ..."
count_ninja() {
  case $1 in
    '['[0-9]*/[0-9]*']'*)
      done_parts=${1#\[}
      done_parts=${done_parts%%/*}
      all_parts=${1#*/}
      all_parts=${all_parts%%\]*}
      ;;
  esac
}

# apt-get: each package is fetched, unpacked and set up.
count_apt() {
  case $1 in
    *' newly installed, '*)
      all_parts=${1%% newly installed, *}
      all_parts=$((3 * ${all_parts##* }))
      ;;
    'Get:'* | 'Unpacking '* | 'Setting up '*)
      if [ "$done_parts" -lt "$all_parts" ]; then done_parts=$((done_parts + 1)); fi
      ;;
  esac
}
