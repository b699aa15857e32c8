#!/usr/bin/env bash
# The placement modes side by side on a real API server and the default scheduler.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/placement-experiment.sh [--scenarios NAME…] [--modes NAME…] [--seeds N…] [--weights today|own] [--out DIR]

Runs made-up clusters and bursts of pods on etcd, kube-apiserver and the default kube-scheduler (installed on the first run, see
scripts/install-control-plane.sh --help), with nodes that are API objects alone and the real webhook, once for each mode:

  none       no webhook          preferred  placement.mode Preferred      adaptive  placement.mode Adaptive, the default
  thesis     one node preferred  required   placement.mode Required       oracle    no scheduler: bound by somebody who sees everything

Each predict pod's node is compared with all nodes that could run the pod at the moment it was bound, in the order of the API server's
own record. Room that pods which waited or were being created then were given a moment later counts as taken; the column "strictly" counts it
as free.

  nearest    share of the predict pods on the lowest-latency node that could run them
  regret     latency above that, in all, as a share of it; mean and 99th percentile in ms
  stranded   pods that were still pending at the end while some node could run them
  cloud      training pods on cloud nodes
  bound      from the create request to the binding, mean and 99th percentile in ms
  goal       at least 99% nearest, regret under 1%, none stranded

All of it takes 10 to 15 minutes a seed on two cores. Prints a table, and why the goal was missed in mode adaptive,
if it was, with the points that the scheduler itself gave (placement.json has them for every miss of every mode).

  --scenarios NAME…  only these: testbed-idle edges-nearly-full edges-full-then-freed images-on-cloud nodes-3 nodes-30 nodes-300 pipelines
                     churn affinities
  --modes NAME…      only these
  --seeds N…         which clusters and pods are made up (default: 1); several for all of them, which placement.md adds up
  --weights W        today: the scheduler's plugins count as by default since Kubernetes 1.23 (the default here); own: as in 1.20, which runs
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
