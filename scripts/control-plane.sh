#!/usr/bin/env bash
# Runs a real Kubernetes control plane on this machine's loopback: etcd, kube-apiserver, the default kube-scheduler, the testbed's
# nodes, and AdmissionLas as mutating webhook.
set -euo pipefail
umask 077

usage() {
  cat <<'TEXT'
Usage: scripts/control-plane.sh up [--no-webhook] [--no-nodes | --nodes FILE] [--admission-config FILE]
                                   [--scheduler-weights today] [--scheduler-scoring STRATEGY] [--scheduler-scores]
                                   [--quiet]
       scripts/control-plane.sh status
       scripts/control-plane.sh stop COMPONENT [--kill]
       scripts/control-plane.sh start COMPONENT
       scripts/control-plane.sh down

A Kubernetes control plane on 127.0.0.1 with unmodified etcd, kube-apiserver and kube-scheduler, the nodes of the testbed
(API objects only: nothing runs on them), the namespace kubeflow, and AdmissionLas running beside it as its webhook.
COMPONENT is one of etcd, apiserver, scheduler, webhook.

  up      starts what does not run, waits until everything is ready, and says what to do next
  status  shows each component; exit code 0 only if all of this control plane run
  stop    stops one component; its data and port stay
  start   starts it again with the same data on the same port
  down    stops everything and deletes the data

  --dir DIR      the files of this control plane; control planes of different DIRs run side by side
                 (default: $XDG_STATE_HOME/admissionlas/control-plane, or ~/.local/state/…)
  --no-webhook   up: run no webhook
  --no-nodes     up: create no nodes
  --nodes FILE   up: the nodes to create (default: manifests/testbed/nodes.yaml)
  --admission-config FILE
                 up: the API server's AdmissionConfiguration, for example with a client certificate for webhooks
  --scheduler-weights today
                 up: the scheduler's plugins have the default weights of Kubernetes 1.23 and later (node affinity 2, taints 3),
                 even in an older release
  --scheduler-scoring STRATEGY
                 up: how the scheduler scores the use of nodes: LeastAllocated (its default) or MostAllocated
  --scheduler-scores
                 up: the scheduler logs the points of each plugin for each node and pod; the log becomes large
  --kill         stop: SIGKILL instead of SIGTERM
  --quiet        print failures only; up prints only the path of the kubeconfig
  -h, --help     this text

  ADMISSION_LAS_BIN    the webhook's executable or .dll (default: src/AdmissionLas is built)
  KUBEBUILDER_ASSETS   folder with the binaries of a Kubernetes release; see scripts/install-control-plane.sh --help

In DIR: kubeconfig (cluster admin), log/COMPONENT.log, run/COMPONENT.pid (the first line is the process id), ports.
TEXT
}

repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly repo
readonly core=(etcd apiserver scheduler)
readonly marker=.admissionlas-control-plane
declare -A port=()
quiet=0
# Unset: the webhook reads variables with this prefix as settings.
given_webhook=${ADMISSION_LAS_BIN-}
unset ADMISSION_LAS_BIN
build_pid=''

say() { ((quiet)) || printf '%s\n' "$*" >&2; }

die() {
  printf 'control-plane: %s\n' "$*" >&2
  exit 1
}

usage_error() {
  printf 'control-plane: %s; see --help\n' "$*" >&2
  exit 2
}

# --- The folder ------------------------------------------------------------------------------------------------------

is_ours() { [[ -f $dir/$marker ]]; }

need_ours() { is_ours || die "there is no control plane in $dir; --dir says which one is meant, and up makes one"; }

create_dir() {
  if ! is_ours && [[ -e $dir && -n $(ls -A -- "$dir" 2>&1) ]]; then
    die "$dir is not empty and was not made by this script; give another --dir"
  fi
  mkdir -p -- "$dir"
}

# One command at a time works on a folder: the lock is on the folder itself, and one that was deleted meanwhile does not count.
lock_dir() {
  exec 9<"$dir"
  flock --timeout 180 9 || die "another run has been at work in $dir for 3 minutes; wait for it or end it"
  [[ $(stat -L -c %i /proc/self/fd/9) == $(stat -c %i -- "$dir" 2>/dev/null) ]] || die "$dir was just deleted by another run; run this again"
}

fill_dir() {
  touch -- "$dir/$marker"
  mkdir -p -- "$dir/log" "$dir/run" "$dir/etcd"
  [[ -f $dir/ports ]] || pick_ports
  load_ports
}

# Ports below those that the system hands out by itself, and not listened on now; they stay the same until down.
pick_ports() {
  local name candidate address taken=' '
  while read -r _ address _; do
    taken+="$((16#${address##*:})) "
  done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -v local_address)
  for name in etcd etcd-peer apiserver scheduler scheduler-plain webhook webhook-health; do
    candidate=$((20000 + RANDOM % 10000))
    while [[ $taken == *" $candidate "* ]]; do
      candidate=$((20000 + RANDOM % 10000))
    done
    taken+="$candidate "
    printf '%s %s\n' "$name" "$candidate"
  done >"$dir/ports.new"
  mv -- "$dir/ports.new" "$dir/ports"
}

load_ports() {
  local name number
  while read -r name number; do
    port[$name]=$number
  done <"$dir/ports"
}

# Whether the component belongs to this control plane: the webhook does once it was asked for.
belongs() { [[ $1 != webhook || -f $dir/with-webhook ]]; }

# --- Processes -------------------------------------------------------------------------------------------------------

# What tells a live process from a later one with the same id: when it started, and since which boot.
identity_of() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] && echo "${fields[19]} $(</proc/sys/kernel/random/boot_id)"
}

# The process id of a component that runs.
pid_of() {
  local pid identity
  { read -r pid && read -r identity; } 2>/dev/null <"$dir/run/$1.pid" || return 1
  [[ $(identity_of "$pid") == "$identity" ]] && echo "$pid"
}

runs() { pid_of "$1" >/dev/null 2>&1; }

# launch COMPONENT COMMAND…: in the background, in a session of its own, away from our output and our lock.
launch() {
  local name=$1 pid
  shift
  (cd -- "$dir" && exec setsid "$@") </dev/null >>"$dir/log/$name.log" 2>&1 9<&- &
  pid=$!
  { echo "$pid" && identity_of "$pid"; } >"$dir/run/$name.pid" || true
}

fail_with_log() {
  local name=$1 log="$dir/log/$1.log" quoted
  printf -v quoted %q "$dir"
  shift
  printf 'control-plane: %s %s; the end of %s:\n\n' "$name" "$*" "$log" >&2
  tail -n 25 -- "$log" >&2 || true
  printf '\ncontrol-plane: the rest was left as it is. After a repair run up again; to remove it all: scripts/control-plane.sh down --dir %s\n' "$quoted" >&2
  exit 1
}

# wait_for COMPONENT SECONDS COMMAND…: until the command succeeds, while the component runs.
wait_for() {
  local name=$1 limit=$2 deadline
  shift 2
  deadline=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    runs "$name" || fail_with_log "$name" 'ended before it was ready'
    ((SECONDS < deadline)) || fail_with_log "$name" "was not ready within $limit s"
    sleep 0.1
  done
  # Another process may have answered on its port.
  runs "$name" || fail_with_log "$name" 'ended before it was ready'
}

# stop_process COMPONENT SIGNAL SECONDS: signals it, and kills it when it is still there after that time.
stop_process() {
  local name=$1 signal=$2 deadline=$((SECONDS + $3)) pid
  pid=$(pid_of "$name") || return 0
  kill -s "$signal" "$pid" 2>/dev/null || true
  while runs "$name"; do
    if ((SECONDS >= deadline)); then
      say "$name (process $pid) still runs after SIG$signal; killing it"
      kill -s KILL "$pid" 2>/dev/null || true
      deadline=$((SECONDS + 30))
    fi
    sleep 0.05
  done
  rm -f -- "$dir/run/$name.pid"
}

# --- Keys and kubeconfigs --------------------------------------------------------------------------------------------

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# issue NAME SUBJECT EXTENSIONS: makes a key and a certificate signed by the CA; the CA signs its own.
issue() {
  local name=$1 signer=(-CA ca.crt -CAkey ca.key)
  [[ $name != ca ]] || signer=(-signkey ca.key)
  new_key "$name.key" &&
    openssl req -new -key "$name.key" -subj "$2" -out "$name.csr" &&
    openssl x509 -req -in "$name.csr" "${signer[@]}" -set_serial "0x$(openssl rand -hex 8)" -sha256 -days 3650 \
      -extfile <(printf '%s\n' "$3") -out "$name.crt" &&
    rm -- "$name.csr"
}

make_pki() (
  names='DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1'
  leaf=$'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
  rm -rf -- "$dir/pki.new" && mkdir -- "$dir/pki.new" && cd -- "$dir/pki.new" &&
    issue ca /CN=admissionlas-control-plane $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash' &&
    issue server /CN=localhost "${leaf}extendedKeyUsage=serverAuth"$'\n'"subjectAltName=$names" &&
    issue admin /O=system:masters/CN=admissionlas-admin "${leaf}extendedKeyUsage=clientAuth" &&
    issue scheduler /CN=system:kube-scheduler "${leaf}extendedKeyUsage=clientAuth" &&
    new_key service-account.key &&
    openssl pkey -in service-account.key -pubout -out service-account.pub &&
    mv -- "$dir/pki.new" "$dir/pki"
)

base64_of() { base64 -w 0 <"$1"; }

# write_kubeconfig FILE USER: contains the keys, so it works from anywhere.
write_kubeconfig() {
  cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: admissionlas
    cluster:
      server: https://127.0.0.1:${port[apiserver]}
      certificate-authority-data: $(base64_of "$dir/pki/ca.crt")
users:
  - name: $2
    user:
      client-certificate-data: $(base64_of "$dir/pki/$2.crt")
      client-key-data: $(base64_of "$dir/pki/$2.key")
contexts:
  - name: admissionlas
    context:
      cluster: admissionlas
      user: $2
current-context: admissionlas
YAML
}

# --- The control plane -----------------------------------------------------------------------------------------------

# accepts PROGRAM FLAG: whether this release of the program knows the flag.
accepts() {
  local help
  help=$("$bin/$1" --help 2>&1) || true
  [[ $help == *" $2 "* ]]
}

get() { curl --silent --show-error --fail --noproxy '*' --max-time 5 "$@"; }

as_admin() { get --cacert "$dir/pki/ca.crt" --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" "$@"; }

kubectl() { "$bin/kubectl" --kubeconfig "$dir/kubeconfig" --cache-dir "$dir/kubectl-cache" "$@"; }

api() { echo "https://127.0.0.1:${port[apiserver]}$1"; }

launch_etcd() {
  local options=(
    --name=default
    --data-dir="$dir/etcd"
    --listen-client-urls="http://127.0.0.1:${port[etcd]}"
    --advertise-client-urls="http://127.0.0.1:${port[etcd]}"
    --listen-peer-urls="http://127.0.0.1:${port[etcd-peer]}"
    --initial-advertise-peer-urls="http://127.0.0.1:${port[etcd-peer]}"
    --initial-cluster="default=http://127.0.0.1:${port[etcd-peer]}"
  )
  # Without waiting for the disk: the data survives a killed etcd, but not a crash of the machine.
  ! accepts etcd --unsafe-no-fsync || options+=(--unsafe-no-fsync)
  launch etcd "$bin/etcd" "${options[@]}"
}

await_etcd() { wait_for etcd 20 get "http://127.0.0.1:${port[etcd]}/health"; }

# Without a controller manager nothing fills in service accounts or removes the taint of new nodes, so the two admission plugins
# that need it are off. As kubeadm does, nodes have their own authorizer and NodeRestriction is on. MutatingAdmissionWebhook, LimitRanger and ResourceQuota are on by default.
launch_apiserver() {
  local options=()
  [[ ! -f $dir/admission-config ]] || options+=(--admission-control-config-file="$(<"$dir/admission-config")")
  launch apiserver "$bin/kube-apiserver" "${options[@]}" \
    --etcd-servers="http://127.0.0.1:${port[etcd]}" \
    --bind-address=127.0.0.1 \
    --secure-port="${port[apiserver]}" \
    --advertise-address=127.0.0.1 \
    --endpoint-reconciler-type=none \
    --service-cluster-ip-range=10.0.0.0/24 \
    --tls-cert-file="$dir/pki/server.crt" \
    --tls-private-key-file="$dir/pki/server.key" \
    --client-ca-file="$dir/pki/ca.crt" \
    --authorization-mode=Node,RBAC \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$dir/pki/service-account.pub" \
    --service-account-signing-key-file="$dir/pki/service-account.key" \
    --enable-admission-plugins=NodeRestriction \
    --disable-admission-plugins=ServiceAccount,TaintNodesByCondition
}

await_apiserver() { wait_for apiserver 60 as_admin "$(api /readyz)"; }

# The default configuration, without leader election: it would end the only scheduler when the API server is down for ten
# seconds.
launch_scheduler() {
  local options=(
    --kubeconfig="$dir/scheduler.kubeconfig"
    --authentication-kubeconfig="$dir/scheduler.kubeconfig"
    --authorization-kubeconfig="$dir/scheduler.kubeconfig"
    --bind-address=127.0.0.1
    --secure-port="${port[scheduler]}"
    --tls-cert-file="$dir/pki/server.crt"
    --tls-private-key-file="$dir/pki/server.key"
    --leader-elect=false
  )
  # Older releases also listen for plain HTTP on all addresses and a fixed port by default.
  ! accepts kube-scheduler --port || options+=(--port=0)
  # A configuration file overrides some of the flags above; it says the same.
  [[ ! -f $dir/scheduler.yaml ]] || options+=(--config="$dir/scheduler.yaml")
  # The source files that log the points: before 1.24, and since.
  [[ ! -f $dir/scheduler-scores ]] || options+=(--vmodule=generic_scheduler=10,schedule_one=10)
  launch scheduler "$bin/kube-scheduler" "${options[@]}"
}

await_scheduler() { wait_for scheduler 30 get --cacert "$dir/pki/ca.crt" "https://127.0.0.1:${port[scheduler]}/healthz"; }

counts_as_today() {
  local minor
  minor=$("$bin/kube-scheduler" --version | sed -nE 's/^Kubernetes v1\.([0-9]+).*/\1/p')
  [[ -z $minor ]] || ((minor >= 23))
}

# The strategy is an argument of a plugin since 1.22 (https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/).
write_scheduler_scoring() {
  cat >"$dir/scheduler.yaml" <<YAML
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: "$dir/scheduler.kubeconfig"}
leaderElection: {leaderElect: false}
profiles:
  - pluginConfig:
      - name: NodeResourcesFit
        args: {scoringStrategy: {type: $scheduler_scoring, resources: [{name: cpu, weight: 1}, {name: memory, weight: 1}]}}
YAML
}

# The default weights of https://kubernetes.io/docs/reference/scheduling/config/ as of v1beta3, for the scheduler of 1.20, where each strategy is a
# plugin of its own.
write_scheduler_weights() {
  cat >"$dir/scheduler.yaml" <<YAML
apiVersion: kubescheduler.config.k8s.io/v1beta1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: "$dir/scheduler.kubeconfig"}
leaderElection: {leaderElect: false}
healthzBindAddress: 127.0.0.1:${port[scheduler-plain]}
metricsBindAddress: 127.0.0.1:${port[scheduler-plain]}
profiles:
  - plugins:
      score:
        disabled: [{name: "*"}]
        enabled:
          - {name: NodeResourcesBalancedAllocation, weight: 1}
          - {name: ImageLocality, weight: 1}
          - {name: InterPodAffinity, weight: 2}
          - {name: NodeResources${scheduler_scoring:-LeastAllocated}, weight: 1}
          - {name: NodeAffinity, weight: 2}
          - {name: PodTopologySpread, weight: 2}
          - {name: TaintToleration, weight: 3}
YAML
}

create_namespace() {
  kubectl apply --server-side -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Namespace
metadata:
  name: kubeflow
  labels:
    admissionlas.io/inject: enabled
YAML
}

# Creates or updates the nodes, then reports capacity and conditions as their kubelets would. An update of a node does not change
# its status; that goes to the status subresource.
create_nodes() {
  local listing name types status type now conditions
  listing=$(kubectl create --dry-run=client -f "$1" -o 'jsonpath={.metadata.name}|{.status.conditions[*].type}|{.status}{"\n"}') ||
    die "the nodes of $1 could not be read"
  kubectl apply --server-side --force-conflicts -f "$1" >/dev/null || die "the nodes of $1 could not be created"
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  while IFS='|' read -r name types status; do
    [[ -z $status ]] || patch_node "$name" merge-patch "{\"status\":$status}"
    conditions=''
    for type in $types; do
      conditions+="{\"type\":\"$type\",\"lastHeartbeatTime\":\"$now\",\"lastTransitionTime\":\"$now\"},"
    done
    # A node without conditions is healthy.
    [[ " $types " == *' Ready '* ]] ||
      conditions+="{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\",\"lastHeartbeatTime\":\"$now\",\"lastTransitionTime\":\"$now\"},"
    patch_node "$name" strategic-merge-patch "{\"status\":{\"conditions\":[${conditions%,}]}}"
  done <<<"$listing"
}

patch_node() {
  as_admin -o /dev/null -X PATCH -H "Content-Type: application/$2+json" --data-binary "$3" "$(api "/api/v1/nodes/$1/status")" ||
    die "the status of node $1 could not be set"
}

# --- The webhook -----------------------------------------------------------------------------------------------------

start_build() {
  [[ -z $given_webhook ]] || return 0
  command -v dotnet >/dev/null || die 'dotnet is missing, so the webhook cannot be built; install the .NET SDK of global.json, set ADMISSION_LAS_BIN, or use --no-webhook'
  say 'building src/AdmissionLas'
  dotnet build --nologo -c Release "$repo/src/AdmissionLas" </dev/null >"$dir/log/build.log" 2>&1 9<&- &
  build_pid=$!
}

# Stores the command that starts the webhook, one word a line, for up and start.
find_webhook() {
  local program=$given_webhook
  if [[ -n $program ]]; then
    [[ -f $program ]] || die "ADMISSION_LAS_BIN is $program, which is not a file"
  else
    local building=$build_pid
    build_pid=''
    wait "$building" || fail_with_log build 'failed (up --no-webhook does not need it)'
    program=$(find "$repo/src/AdmissionLas/bin/Release" -mindepth 2 -maxdepth 2 -name admission-las.dll -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)
    [[ -n $program ]] || die "the build left no admission-las.dll in src/AdmissionLas/bin/Release; see $dir/log/build.log"
  fi
  program=$(realpath -- "$program")
  [[ $program != *.dll ]] || program="dotnet"$'\n'"$program"
  echo "$program" >"$dir/webhook-command"
}

launch_webhook() {
  local program
  mapfile -t program <"$dir/webhook-command"
  launch webhook "${program[@]}" serve --kubeconfig "$dir/kubeconfig" --port "${port[webhook]}" --health-port "${port[webhook-health]}" \
    --dev-certificate "$dir/webhook-certificate"
}

# The webhook is ready when it has its first list of nodes.
await_webhook() { wait_for webhook 30 get "http://127.0.0.1:${port[webhook-health]}/readyz"; }

# The program registers itself for every pod: rules and annotations tell some steps of the samples and tests.
register_webhook() {
  local ca="$dir/webhook-certificate/ca.crt" program
  [[ -s $ca ]] || fail_with_log webhook "did not write $ca"
  mapfile -t program <"$dir/webhook-command"
  "${program[@]}" register --kubeconfig "$dir/kubeconfig" --url "https://127.0.0.1:${port[webhook]}/mutate" --ca-bundle "$ca" --every-pod \
    </dev/null >"$dir/log/register.log" 9<&- || die 'the webhook could not be registered'
}

# --- Commands --------------------------------------------------------------------------------------------------------

# Starts a component if it does not run, and waits until it is ready.
bring_up() {
  local name=$1
  runs "$name" || { say "starting $name" && "launch_$name"; }
  "await_$name"
}

up() {
  ((!with_nodes)) || [[ -r $nodes ]] || die "the nodes file $nodes cannot be read"
  bin=$(install_binaries)
  create_dir
  lock_dir
  fill_dir
  echo "$bin" >"$dir/bin"
  [[ -z $admission_config ]] || realpath -- "$admission_config" >"$dir/admission-config"
  [[ -d $dir/pki ]] || make_pki 2>"$dir/log/pki.log" || fail_with_log pki 'could not be made'
  write_kubeconfig "$dir/kubeconfig" admin
  write_kubeconfig "$dir/scheduler.kubeconfig" scheduler
  if counts_as_today; then
    [[ -z $scheduler_scoring ]] || write_scheduler_scoring
  elif [[ -n $scheduler_weights$scheduler_scoring ]]; then
    write_scheduler_weights
  fi
  ((!with_scores)) || touch -- "$dir/scheduler-scores"
  if ((with_webhook)); then
    touch -- "$dir/with-webhook"
    runs webhook || start_build
  fi

  bring_up etcd
  bring_up apiserver
  runs scheduler || { say 'starting scheduler' && launch_scheduler; }
  say 'creating the namespace kubeflow and the nodes'
  create_namespace || die 'the namespace kubeflow could not be created'
  ((!with_nodes)) || create_nodes "$nodes"
  bring_up scheduler
  if ((with_webhook)); then
    runs webhook || find_webhook
    bring_up webhook
    register_webhook
  fi
  if ((quiet)); then
    echo "$dir/kubeconfig"
  else
    show_next_steps
  fi
}

install_binaries() {
  local output
  output=$("$repo/scripts/install-control-plane.sh") && tail -n 1 <<<"$output"
}

show_next_steps() {
  local option='' quoted
  printf -v quoted %q "$dir"
  [[ $dir == "$(default_dir)" ]] || option=" --dir $quoted"
  cat <<TEXT

The control plane is up. Next, in $repo:

  export KUBECONFIG=$quoted/kubeconfig
TEXT
  type -P kubectl >/dev/null || echo "  export PATH=\$PATH:$bin"
  cat <<TEXT
  kubectl -n kubeflow create -f manifests/samples/predict-nitlab-edge.yaml
  kubectl -n kubeflow get pods -o wide

Its logs are in $quoted/log. To see how it does: scripts/control-plane.sh status$option
To remove it: scripts/control-plane.sh down$option
TEXT
}

status() {
  local name pid state number code=0
  ((!quiet)) || exec >/dev/null
  printf '%-10s  %-8s  %-6s  %s\n' COMPONENT PID PORT STATE
  for name in "${core[@]}" webhook; do
    pid=- state=stopped number=${port[$name]:--}
    if ! belongs "$name"; then
      state='not part of it' number=-
    elif pid=$(pid_of "$name"); then
      state=running
    else
      pid=- code=1
    fi
    printf '%-10s  %-8s  %-6s  %s\n' "$name" "$pid" "$number" "$state"
  done
  return "$code"
}

start() {
  if [[ $component == webhook ]]; then
    start_webhook
  elif runs "$component"; then
    say "$component runs already"
  elif [[ $component == apiserver ]] && ! runs etcd; then
    die "apiserver needs etcd, which does not run; start that first"
  else
    bring_up "$component"
  fi
}

# Also if it runs already: there may have been no API server to register with when it started.
start_webhook() {
  touch -- "$dir/with-webhook"
  if ! runs webhook && [[ -n $given_webhook || ! -f $dir/webhook-command ]]; then
    start_build
    find_webhook
  fi
  if runs apiserver; then
    bring_up webhook
    register_webhook
  else
    runs webhook || launch_webhook
    say 'webhook runs, and is ready when apiserver is back; if it was never registered, start it once more then'
  fi
}

stop() {
  runs "$component" || say "$component does not run"
  # An API server with watchers would wait for them for a minute.
  stop_process "$component" "$signal" 5
}

down() {
  # In this order the later ones have no open connections. The data is deleted, so it need not be written.
  # It drains for five seconds (server.drainSeconds).
  stop_process webhook TERM 10
  stop_process scheduler TERM 5
  stop_process apiserver KILL 5
  stop_process etcd KILL 5
  rm -rf -- "$dir"/{etcd,pki,pki.new,log,run,webhook-certificate,kubectl-cache}
  rm -f -- "$dir"/{kubeconfig,scheduler.kubeconfig,ports,ports.new,with-webhook,bin,webhook-command,admission-config,scheduler.yaml,scheduler-scores}
  rm -f -- "$dir/$marker"
  rmdir -- "$dir" 2>/dev/null || say "left $dir, which holds files that this script did not make"
}

default_dir() { echo "${XDG_STATE_HOME:-$HOME/.local/state}/admissionlas/control-plane"; }

# --- Arguments -------------------------------------------------------------------------------------------------------

command='' component='' dir='' nodes='' admission_config='' scheduler_weights='' scheduler_scoring='' signal=TERM with_webhook=1 with_nodes=1 with_scores=0 bin=''
given=()
while (($#)); do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --dir | --nodes | --admission-config | --scheduler-weights | --scheduler-scoring)
      [[ -n ${2-} ]] || usage_error "$1 needs a value"
      case $1 in
        --dir) dir=$2 ;;
        --nodes) nodes=$2 && given+=("$1") ;;
        --scheduler-weights) scheduler_weights=$2 && given+=("$1") ;;
        --scheduler-scoring) scheduler_scoring=$2 && given+=("$1") ;;
        *) admission_config=$2 && given+=("$1") ;;
      esac
      shift
      ;;
    --dir=?*) dir=${1#*=} ;;
    --nodes=?*) nodes=${1#*=} && given+=(--nodes) ;;
    --admission-config=?*) admission_config=${1#*=} && given+=(--admission-config) ;;
    --scheduler-weights=?*) scheduler_weights=${1#*=} && given+=(--scheduler-weights) ;;
    --scheduler-scoring=?*) scheduler_scoring=${1#*=} && given+=(--scheduler-scoring) ;;
    --no-nodes) with_nodes=0 && given+=("$1") ;;
    --scheduler-scores) with_scores=1 && given+=("$1") ;;
    --no-webhook) with_webhook=0 && given+=("$1") ;;
    --kill) signal=KILL && given+=("$1") ;;
    --quiet) quiet=1 ;;
    -*) usage_error "there is no option $1" ;;
    *)
      if [[ -z $command ]]; then
        command=$1
      elif [[ -z $component && ($command == start || $command == stop) ]]; then
        component=$1
      else
        usage_error "$1 is one argument too many"
      fi
      ;;
  esac
  shift
done

case $command in
  up | down | status | start | stop) ;;
  '') usage_error 'say what to do: up, down, status, start or stop' ;;
  *) usage_error "there is no command $command" ;;
esac
for option in "${given[@]}"; do
  case $command,$option in
    up,--no-* | up,--nodes | up,--admission-config | up,--scheduler-weights | up,--scheduler-scoring | up,--scheduler-scores | stop,--kill) ;;
    *) usage_error "$option does not go with $command" ;;
  esac
done
if [[ $command == start || $command == stop ]]; then
  case $component in
    etcd | apiserver | scheduler | webhook) ;;
    *) usage_error "$command needs one of etcd, apiserver, scheduler, webhook${component:+, not $component}" ;;
  esac
fi
((with_nodes)) || [[ -z $nodes ]] || usage_error '--nodes and --no-nodes exclude each other'

[[ $scheduler_weights =~ ^(today)?$ ]] || usage_error "--scheduler-weights knows today, not $scheduler_weights"
[[ $scheduler_scoring =~ ^(LeastAllocated|MostAllocated)?$ ]] ||
  usage_error "--scheduler-scoring knows LeastAllocated and MostAllocated, not $scheduler_scoring"

[[ -r /proc/self/stat ]] || die 'this script needs Linux: it identifies processes by /proc'
dir=$(realpath -m -- "${dir:-$(default_dir)}")
nodes=${nodes:-$repo/manifests/testbed/nodes.yaml}
[[ -z $admission_config || -r $admission_config ]] || die "the admission configuration $admission_config cannot be read"
trap '[[ -z $build_pid ]] || kill "$build_pid" 2>/dev/null || true' EXIT

if [[ $command == up ]]; then
  up
  exit
fi
if [[ $command == down && ! -e $dir ]]; then
  say "there is no control plane in $dir"
  exit
fi
need_ours
[[ $command == status ]] || lock_dir
need_ours
[[ ! -f $dir/bin ]] || bin=$(<"$dir/bin")
[[ ! -f $dir/ports ]] || load_ports
"$command"
