#!/usr/bin/env bash
# Puts prometheus and promtool into one folder outside the repository and prints that folder.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/install-prometheus.sh

Prints a folder with prometheus and promtool as the last line of standard output; progress goes to standard error. Takes
those on PATH if both are there. Otherwise, on Debian or Ubuntu, extracts them from the distribution's package. It does not
install the package, because that starts a Prometheus for the whole machine. Does nothing on later runs.

  PROMETHEUS_ASSETS   folder with both programs, to use instead
  XDG_CACHE_HOME      the cache is $XDG_CACHE_HOME/admissionlas/prometheus (default: ~/.cache/…)
TEXT
}

case ${1-} in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *)
    echo "install-prometheus: unknown option $1; see --help" >&2
    exit 2
    ;;
esac

readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/admissionlas/prometheus"

die() {
  printf 'install-prometheus: %s\n' "$*" >&2
  exit 1
}

both_run() {
  local name
  for name in prometheus promtool; do
    "$1/$name" --version >/dev/null 2>&1 || return 1
  done
}

if [[ -n ${PROMETHEUS_ASSETS-} ]]; then
  both_run "$PROMETHEUS_ASSETS" || die "PROMETHEUS_ASSETS is $PROMETHEUS_ASSETS, which has no prometheus and promtool that run"
  realpath -- "$PROMETHEUS_ASSETS"
  exit 0
fi

if on_path=$(command -v prometheus) && both_run "$(dirname -- "$on_path")"; then
  dirname -- "$on_path"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! both_run "$cache/bin"; then
  command -v apt-get >/dev/null || die 'there is no apt-get; install Prometheus, or set PROMETHEUS_ASSETS to a folder with prometheus and promtool'
  work=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  printf 'install-prometheus: extracting prometheus and promtool from the package prometheus\n' >&2
  cd -- "$work"
  # Package lists may be old or missing: update them once, which needs root.
  if ! apt-get -q download prometheus >"$work/log" 2>&1; then
    sudo=()
    ((EUID == 0)) || sudo=(sudo)
    "${sudo[@]}" apt-get -q -y update >>"$work/log" 2>&1 || true
    apt-get -q download prometheus >>"$work/log" 2>&1 || die "the package cannot be downloaded: $(tail -n 5 "$work/log")"
  fi

  dpkg-deb --extract prometheus_*.deb extracted
  rm -rf -- "$cache/bin"
  mv extracted/usr/bin "$cache/bin"
  both_run "$cache/bin" || die "the programs of the package do not run: $("$cache/bin/prometheus" --version 2>&1 | tail -n 1)"
fi
echo "$cache/bin"
