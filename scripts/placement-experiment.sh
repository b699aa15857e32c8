#!/usr/bin/env bash
# Compares the placement modes on a real API server and the default scheduler.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/placement-experiment.sh [--scenarios NAME…] [--modes NAME…] [--seeds N…] [--weights today|own] [--out DIR]

Runs generated clusters and bursts of pods on etcd, kube-apiserver and the default kube-scheduler (installed on the first run, see
scripts/install-control-plane.sh --help), with the real webhook and nodes that are API objects only, once for each mode:

  none       no webhook          preferred  placement.mode Preferred      adaptive  placement.mode Adaptive, the default
  thesis     one node preferred  required   placement.mode Required       oracle    no scheduler: the best binding, with full knowledge

Compares each predict pod's node with all nodes that could run the pod when it was bound, in the order of the API server's own record. Room
that a waiting or a new pod got a moment later counts as taken; the column "strictly" counts it as free.

  nearest    share of the predict pods on the lowest-latency node that could run them
  regret     total latency above the nearest node, as a share; mean and 99th percentile in ms
  stranded   pods still pending at the end although some node could run them
  evicted    pods that the scheduler deleted to make room for others
  truth      share of the predict pods that are on the node which their decision names, where it names one with room
  cloud      training pods on cloud nodes
  bound      from the create request to the binding, mean and 99th percentile in ms
  goal       at least 99% nearest, regret under 1%, truth at least 99%, none stranded, none evicted

Takes 15 to 25 minutes a seed on two cores. Prints a table and, if mode adaptive missed the goal, the reasons with the scheduler's own points
(placement.json has them for every miss of every mode).

  --scenarios NAME…  only these: testbed-idle edges-nearly-full edges-full-then-freed images-on-cloud nodes-3 nodes-30 nodes-300 pipelines
                     churn affinities services kept-free injector gates (since Kubernetes 1.27) most-allocated no-requests
  --modes NAME…      only these
  --seeds N…         seeds of the generated clusters and pods (default: 1); placement.md adds up several
  --weights W        weights of the scheduler's plugins; today: the default since Kubernetes 1.23 (the default here); own: those of 1.20
  --out DIR          where placement.json, placement.md and placement.svg go (default: artifacts/placement)
  -h, --help         this text
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
  printf 'placement-experiment: the .NET 10 SDK is missing; install it from https://dotnet.microsoft.com/download\n' >&2
  exit 1
fi

scripts/install-control-plane.sh >/dev/null
dotnet build tests/AdmissionLas.Experiment --configuration Release --nologo --verbosity quiet >&2
exec dotnet tests/AdmissionLas.Experiment/bin/Release/net10.0/AdmissionLas.Experiment.dll "$@"
