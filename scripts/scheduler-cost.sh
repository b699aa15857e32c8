#!/usr/bin/env bash
# Measures what a decision costs the scheduler in large clusters, and where the pods land.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/scheduler-cost.sh [--nodes N…] [--pods N] [--rounds N]

Creates nodes (API objects only, 20 locations and zones) on etcd, kube-apiserver and the default kube-scheduler, and bursts of pods in these forms,
one form after the other in each round:

  plain      no webhook
  names      adaptive; the requirement names nodes by metadata.name (placement.nodeTerms: Names), for Kubernetes 1.31 and later
  hostnames  adaptive; by host name
  preferred  placement.mode: Preferred
  fallback   adaptive, pods with host ports: only the scheduler can judge these, so nodes are merely preferred, and the nearest one's zone

  CPU ms/pod  the scheduler's own CPU time (/proc/PID/stat) while the pods are created and bound
  pods/s      from the first request to the last binding
  nearest     share of the pods on the nearest node that could run them; mean and p99: what they are above its latency, ms

Prints each round and the medians. Takes some 10 minutes for 500 nodes and 30 for 5,000 on two cores. A machine that does other work meanwhile spoils
it. On another release: KUBEBUILDER_ASSETS, see scripts/install-control-plane.sh --help.

  --nodes N…   how many nodes, one cluster after the other (default: 500 5000)
  --pods N     pods of each form in a round (default: 1000)
  --rounds N   rounds (default: 3)
  -h, --help   this text
TEXT
}

for argument in "$@"; do
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
  esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
if ! command -v dotnet >/dev/null; then
  printf 'scheduler-cost: the .NET 10 SDK is missing; install it from https://dotnet.microsoft.com/download\n' >&2
  exit 1
fi

scripts/install-control-plane.sh >/dev/null
dotnet build tests/AdmissionLas.Experiment --configuration Release --nologo --verbosity quiet >&2
exec dotnet tests/AdmissionLas.Experiment/bin/Release/net10.0/AdmissionLas.Experiment.dll scheduler-cost "$@"
