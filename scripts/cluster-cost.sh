#!/usr/bin/env bash
# Measures what a cluster costs the webhook and what the webhook costs a cluster, on a real control plane.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/cluster-cost.sh watch [--updates N] [--labels PERCENT] [--seconds N]
       scripts/cluster-cost.sh admission [--pods N]
       scripts/cluster-cost.sh memory
       scripts/cluster-cost.sh native [--starts N]

  watch      5,000 nodes of some 15 KB on a real API server. Sends reviews at a steady rate, first without changes of the nodes, then with
             changes. Prints the server's share of a core (/proc/PID/stat), its resident memory over time, and p50 and p99 of the reviews,
             each beside a second server that has the same nodes from a snapshot and watches nothing: that is the noise of the API server,
             etcd and the load on the same cores. Then repeats it with a fake API server, which leaves the cores free
  admission  the API server's own figures for our webhook, with a patch and without
             (apiserver_admission_webhook_admission_duration_seconds): the mean over the pods of five rounds
  memory     resident memory with 5,000 nodes and 150,000 pods from a fake API server
  native     the native binary: start to ready from a snapshot of the testbed, idle memory, and its work with a real cluster: watching nodes
             and pods, a changed label, a pod placed and bound, certificates made and rotated under their Lease

  --updates N       watch: changes a second (default: 200)
  --labels PERCENT  watch: this share are new latencies of a node, the rest heartbeats of a kubelet (default: 50)
  --seconds N       watch: how long the nodes change in each of the two (default: 60)
  --pods N          admission: pods of each kind (default: 1000)
  --starts N        native: how many starts (default: 9)
  -h, --help        this text

  ADMISSION_LAS_BIN  the webhook's executable or .dll (default: src/AdmissionLas is built, or for native published, which takes minutes)
TEXT
}

die() {
  printf 'cluster-cost: %s\n' "$*" >&2
  exit 1
}

command='' updates=200 labels=50 seconds=60 pods=1000 starts=9
while (($#)); do
  case $1 in
    --updates | --labels | --seconds | --pods | --starts)
      [[ ${2-} =~ ^[0-9]+$ ]] || die "$1 needs a number; see --help"
      printf -v "${1#--}" %s "$2"
      shift 2
      ;;
    watch | admission | memory | native)
      [[ -z $command ]] || die "one command at a time; see --help"
      command=$1
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown argument $1; see --help" ;;
  esac
done
[[ -n $command ]] || die 'say what to measure: watch, admission, memory or native; see --help'
((updates >= 8 && seconds && pods >= 5 && starts)) || die 'updates must be at least 8, pods at least 5, and nothing else can be 0'

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
server=''
# shellcheck disable=SC2317
finish() {
  [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
  [[ ! -d $work/cluster ]] || scripts/control-plane.sh down --dir "$work/cluster" --quiet || true
  rm -rf -- "$work"
}
trap finish EXIT

bench=tests/AdmissionLas.Benchmarks/bin/Release/net10.0
build() { dotnet build tests/AdmissionLas.Benchmarks --configuration Release --nologo --verbosity quiet >&2; }
given=${ADMISSION_LAS_BIN-}
[[ -z $given || -f $given ]] || die "ADMISSION_LAS_BIN is $given, which is not a file"

watch() {
  build
  local kubeconfig
  kubeconfig=$(scripts/control-plane.sh up --dir "$work/cluster" --no-webhook --no-nodes --quiet)
  # The scheduler would watch the nodes too and use the same cores.
  scripts/control-plane.sh stop scheduler --dir "$work/cluster" --quiet
  dotnet "$bench/AdmissionLas.Benchmarks.dll" watch-cost "${given:-$bench/admission-las.dll}" "$kubeconfig" "$work" "$updates" "$labels" "$seconds"
}

admission() {
  build
  local kubeconfig
  kubeconfig=$(ADMISSION_LAS_BIN=${given:-$PWD/$bench/admission-las.dll} scripts/control-plane.sh up --dir "$work/cluster" --quiet)
  dotnet "$bench/AdmissionLas.Benchmarks.dll" admission-duration "$kubeconfig" "$pods"
}

memory() {
  build
  dotnet "$bench/AdmissionLas.Benchmarks.dll" usage-memory "${given:-$bench/admission-las.dll}"
}

# eventually SECONDS WHAT COMMAND…: until the command succeeds.
eventually() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || die "not in time: $what"
    sleep 0.1
  done
}

# is_ready PORT, by bash alone.
is_ready() {
  local connection answer=''
  { exec {connection}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&"$connection"
  read -rt 5 answer <&"$connection" || true
  exec {connection}>&-
  [[ $answer == *' 200 '* ]]
}

native() {
  local binary=$given port=28743 times=() began i
  if [[ -z $binary ]]; then
    dotnet publish src/AdmissionLas --configuration Release --output "$work/publish" --nologo >"$work/publish.log" 2>&1 || die "publishing failed: $(tail -n 20 "$work/publish.log")"
    printf 'warnings of the trimmer and the AOT compiler: %d\n' "$(grep -cE 'warning IL[0-9]{4}' "$work/publish.log" || true)"
    binary=$work/publish/admission-las
  fi
  # Waiting on an empty pipe starts no process beside the server; each sleep would.
  local silence
  exec {silence}<> <(:)
  for ((i = 0; i < starts; i++)); do
    began=${EPOCHREALTIME/./}
    "$binary" serve --snapshot manifests/testbed/nodes.yaml --dev-certificate "$work/certificate" --address 127.0.0.1 --port $port --health-port $((port + 1)) >"$work/serve.log" 2>&1 &
    server=$!
    until is_ready $((port + 1)); do
      kill -0 "$server" 2>/dev/null || die "the server ended before it was ready: $(tail -n 5 "$work/serve.log")"
      read -rt 0.002 _ <&"$silence" || true
    done
    times+=($(((${EPOCHREALTIME/./} - began) / 1000)))
    if ((i == starts - 1)); then
      sleep 5
      printf 'idle memory: %s MB resident, %s MB of it its own\n' \
        "$(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")" "$(awk '/^RssAnon/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")"
    fi
    kill "$server" && wait "$server" 2>/dev/null || true
    server=''
  done
  mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
  printf 'start to ready: median %d ms of %d starts, %d to %d\n' "${times[starts / 2]}" "$starts" "${times[0]}" "${times[-1]}"

  local kubeconfig health bin kubectl
  kubeconfig=$(scripts/control-plane.sh up --dir "$work/cluster" --no-webhook --quiet)
  bin=$(<"$work/cluster/bin")
  kubectl=("$bin/kubectl" --kubeconfig "$kubeconfig" --cache-dir "$work/cluster/kubectl-cache")
  "${kubectl[@]}" create namespace admission-las >/dev/null
  certs() { timeout 60 "$binary" certs "$@" --kubeconfig "$kubeconfig" >"$work/certs.log" 2>&1 || die "certs $1 failed: $(cat "$work/certs.log")"; }
  certs init
  certs rotate --trust-delay 0 --force serving
  printf 'certificates made and rotated under the Lease %s\n' "$("${kubectl[@]}" -n admission-las get leases -o 'jsonpath={.items[*].metadata.name}')"
  ADMISSION_LAS_BIN=$(realpath -- "$binary") scripts/control-plane.sh start webhook --dir "$work/cluster" --quiet
  health=$(awk '$1 == "webhook-health" { print $2 }' "$work/cluster/ports")
  readiness() { curl --silent --fail --noproxy '*' "http://127.0.0.1:$health/readyz"; }
  is_placed_on() { [[ $("${kubectl[@]}" -n kubeflow get pods -l "run=$1" -o 'jsonpath={.items[*].spec.nodeName}') == "$2" ]]; }
  create() { sed "s/^  labels:/&\n    run: $1/" manifests/samples/predict-home-edge.yaml | "${kubectl[@]}" -n kubeflow create -f - >/dev/null; }
  create first
  eventually 30 'a pod on the nearest node' is_placed_on first home-edge-node
  counts_one() { [[ $(readiness) == *'; 1 pods counted'* ]]; }
  eventually 30 'the pod in the count of the webhook' counts_one
  "${kubectl[@]}" label node nitos-cloud-node latency.admissionlas.io/HOME-EDGE=0.1 >/dev/null
  sleep 2
  create second
  eventually 30 'a pod on the node that is nearest since its label changed' is_placed_on second nitos-cloud-node
  printf 'on a real cluster: %s\n' "$(readiness)"
}

"$command"
