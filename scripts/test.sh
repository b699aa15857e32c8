#!/usr/bin/env bash
# Runs every test and installs what they need. The last line is "N passed, N failed".
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--no-cluster]

Builds everything and runs every test. The first run installs what the tests need: a real control plane for the cluster tests (see
scripts/install-control-plane.sh --help), a Prometheus that scrapes the server (see scripts/install-prometheus.sh --help), and a
Chromium for the web page (see scripts/install-chromium.sh --help). The tests start and stop these themselves. Pictures of the page
go to artifacts/screenshots.

  --no-cluster   leave out the tests on the control plane
  -h, --help     this text

  FUZZ_SECONDS         how long the fuzz test runs (default: 5)
  LOAD_SECONDS         how long the tests under load last (default: 20)
  ADMISSION_LAS_STORM_PODS      how many pods each storm on the control plane has (default: 500)
  ADMISSION_LAS_OUTAGE_SECONDS  how long the API server is down in the middle of a storm (default: 3)
  KUBEBUILDER_ASSETS   folder with the binaries of another Kubernetes release to test on
TEXT
}

with_cluster=1
for argument in "$@"; do
  case $argument in
    --no-cluster) with_cluster=0 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      printf 'test: unknown argument %s; see --help\n' "$argument" >&2
      exit 2
      ;;
  esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
if ! command -v dotnet >/dev/null; then
  printf 'test: the .NET 10 SDK is missing; install it from https://dotnet.microsoft.com/download\n' >&2
  exit 1
fi

scripts/install-prometheus.sh
scripts/install-chromium.sh
projects=(tests/AdmissionLas.Tests tests/AdmissionLas.BrowserTests)
if ((with_cluster)); then
  projects+=(tests/AdmissionLas.ClusterTests)
  scripts/install-control-plane.sh
fi

results=artifacts/test-results
rm -rf -- "$results"
# Packages other than those of the lock files are refused.
dotnet restore AdmissionLas.sln --locked-mode --verbosity quiet
dotnet build AdmissionLas.sln --no-restore --configuration Release --nologo --verbosity quiet
failed_runs=0
for project in "${projects[@]}"; do
  dotnet test "$project" --configuration Release --no-build --nologo \
    --logger 'console;verbosity=normal' --logger "trx;LogFileName=${project##*/}.trx" --results-directory "$results" || failed_runs=1
done

# Counts from the result files: the console output changes between versions. A project without a file ran no test.
passed=0 failed=0
for project in "${projects[@]}"; do
  file=$results/${project##*/}.trx
  counters=''
  [[ ! -f $file ]] || counters=$(grep -o '<Counters [^>]*>' "$file" || true)
  count() { sed -nE "s/.* $1=\"([0-9]+)\".*/\1/p" <<<"$counters"; }
  if [[ -z $counters || $(count total) == 0 ]]; then
    printf 'test: %s ran no test\n' "$project" >&2
    failed_runs=1
    continue
  fi
  passed=$((passed + $(count passed)))
  failed=$((failed + $(count total) - $(count passed)))
done

((with_cluster)) || printf 'The tests on the control plane were left out (--no-cluster).\n'
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && failed_runs == 0))
