#!/usr/bin/env bash
# Installs a Chromium for the tests of the web page, if there is none, and prints its path.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/install-chromium.sh

Prints the path of a Chromium as the last line of standard output; progress goes to standard error. Takes the one on PATH
(chromium, chromium-browser or google-chrome). Without one, on Debian, installs the package chromium, which needs root or
sudo.

  CHROMIUM   the path of a Chromium to use instead
TEXT
}

case ${1-} in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *)
    printf 'install-chromium: unknown option %s; see --help\n' "$1" >&2
    exit 2
    ;;
esac

die() {
  printf 'install-chromium: %s\n' "$*" >&2
  exit 1
}

find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" && return
  done
  return 1
}

if [[ -n ${CHROMIUM-} ]]; then
  "$CHROMIUM" --version >/dev/null 2>&1 || die "CHROMIUM is $CHROMIUM, which does not run"
  echo "$CHROMIUM"
  exit 0
fi

if ! find_chromium >/dev/null; then
  command -v apt-get >/dev/null || die 'neither Chromium nor apt-get is there; install a Chromium, or set CHROMIUM to its path'
  sudo=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die 'apt-get needs root and there is no sudo: run this as root once, or set CHROMIUM to the path of a Chromium'
    sudo=(sudo)
  fi
  log=$(mktemp)
  trap 'rm -f -- "$log"' EXIT
  printf 'install-chromium: installing the package chromium\n' >&2
  apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
  # Without a font Chromium draws boxes.
  { apt update && apt install --no-install-recommends chromium fonts-dejavu-core; } || die "apt-get failed: $(tail -n 5 "$log")"
fi
find_chromium
