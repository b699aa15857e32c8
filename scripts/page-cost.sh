#!/usr/bin/env bash
# How long the operator's page takes to load, in a real browser.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/page-cost.sh [--loads N]

Serves the page of 100 and of 500 nodes with 20 locations by the native binary and loads it in a Chromium without a screen, each time in a
window that has never seen it and then once more in the same window, and beside it a line of text from the same server: what a page costs this
browser on this machine that has nothing in it. Prints median, least and most of what the browser counts, in milliseconds from the beginning of the
navigation: the first byte, the DOM ready, the load event, the first paint (of anything), the first screenful of the cluster on the screen, all of
it in the page; and how much was asked for.
A first load that is not counted pays for the browser's own start. Server and browser share this machine's cores: leave it alone meanwhile.

  --loads N     how often each is loaded (default: 15)
  -h, --help    this text

  ADMISSION_LAS_BIN  the webhook's executable or .dll; without it src/AdmissionLas is published (minutes)
  CHROMIUM           the browser to use; without it the one of scripts/install-chromium.sh
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
