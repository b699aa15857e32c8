#!/usr/bin/env bash
# Measures how long the web page takes to load in a real browser.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/page-cost.sh [--loads N]

Serves the page with the native binary, for 100 and for 500 nodes with 20 locations, and loads it in a headless Chromium: each time in a fresh
window, then again in the same window. The floor is a line of text from the same server: an empty page in this browser on this machine. Prints
median, minimum and maximum in milliseconds from the start of the navigation: the first byte, DOM ready, the load event, the first paint, the first
screenful of the cluster, all of it in the page; and the bytes that were requested.
The browser's own start falls into a first load that is not counted. Server and browser share the cores: leave the machine idle meanwhile.

  --loads N     how often each page is loaded (default: 15)
  -h, --help    this text

  ADMISSION_LAS_BIN  the webhook's executable or .dll (default: src/AdmissionLas is published, which takes minutes)
  CHROMIUM           the browser to use (default: that of scripts/install-chromium.sh)
TEXT
}

die() {
  printf 'page-cost: %s\n' "$*" >&2
  exit 1
}

loads=15
while (($#)); do
  case $1 in
    --loads)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die "--loads needs a number; see --help"
      loads=$2
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown argument $1; see --help" ;;
  esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
chromium=$(scripts/install-chromium.sh)
bin=${ADMISSION_LAS_BIN-}
if [[ -z $bin ]]; then
  echo 'page-cost: publishing the server (some minutes)' >&2
  dotnet publish src/AdmissionLas --configuration Release --output artifacts/benchmark --nologo --verbosity quiet
  bin=artifacts/benchmark/admission-las
fi
dotnet build tests/AdmissionLas.Benchmarks --configuration Release --nologo --verbosity quiet

export ADMISSION_LAS_PAGE__ENABLED=true ADMISSION_LAS_PAGE__PORT=29081
dotnet tests/AdmissionLas.Benchmarks/bin/Release/net10.0/AdmissionLas.Benchmarks.dll page-cost "$bin" http://localhost:29081/ "$chromium" "$loads"
