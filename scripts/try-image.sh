#!/usr/bin/env bash
# Tries the image without an engine or an image registry: runs the published binary as a node's runtime would.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/try-image.sh [--binary FILE] [--starts N]

Publishes src/AdmissionLas as a native binary and puts it into a root filesystem with only the shared libraries that it needs, from
the Debian 13 packages of the image's base. Runs that with runc as the Deployment does: user 65532, no capabilities, no new
privileges, read-only root, 256 MiB, and the stricter of CRI-O's and containerd's default seccomp profile. Then it

  - runs the demo, and makes certificates with `certs init` as the install job does;
  - starts the server on them, waits until it is ready, sends a review over TLS, and sends SIGTERM: it must answer and end with 0;
  - traces every system call of such a run: the seccomp profile and the read-only root may refuse none that matters;
  - prints sizes, the time from start to ready, and idle memory.

Needs root (runc) and a Debian with apt-get, binutils, curl and jq. If runc and strace are missing, they are extracted from their
packages and not installed. Publishing takes about five minutes on two cores.

  --binary FILE  try this binary instead of publishing one
  --starts N     how many starts are timed (default: 9)
  -h, --help     this text

  XDG_CACHE_HOME   the cache of packages is $XDG_CACHE_HOME/admissionlas/image (default: ~/.cache/…); delete it for newer ones
TEXT
}

repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly repo
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/admissionlas/image"
# What gcr.io/distroless/base-debian13 has besides time zones and names of ports.
readonly debian=trixie
readonly packages=(libc6 libssl3t64 libzstd1 zlib1g ca-certificates)
readonly service=admission-las.admission-las.svc
readonly user=65532
binary='' starts=9 work='' container=''

say() { printf '%s\n' "$*" >&2; }

die() {
  printf 'try-image: %s\n' "$*" >&2
  exit 1
}

usage_error() {
  printf 'try-image: %s; see --help\n' "$*" >&2
  exit 2
}

while (($#)); do
  case $1 in
    --binary | --starts)
      (($# > 1)) || usage_error "$1 needs a value"
      [[ $1 == --binary ]] && binary=$2 || starts=$2
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) usage_error "there is no option $1" ;;
  esac
done
[[ $starts =~ ^[1-9][0-9]*$ ]] || usage_error "--starts needs a number"
((EUID == 0)) || die 'runc needs root here: run this as root or with sudo'
[[ $(uname -m) == x86_64 ]] || die 'only x86_64 is supported'
for tool in apt-get dpkg-deb curl jq readelf; do
  command -v "$tool" >/dev/null || die "$tool is missing: this needs a Debian with apt-get, binutils, curl and jq"
done

finish() {
  if [[ -n $container ]]; then
    "$runc" --root "$work/runc" delete --force "$container" >/dev/null 2>&1 || true
  fi
  [[ -z $work ]] || rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
work=$(mktemp -d)
chmod 755 "$work"

# --- What the image is made of ---------------------------------------------------------------------------------------

publish() {
  local output="$repo/artifacts/image"
  command -v dotnet >/dev/null || die 'the .NET 10 SDK is missing; install it from https://dotnet.microsoft.com/download'
  say 'publishing src/AdmissionLas (about five minutes on two cores)'
  rm -rf -- "$output"
  # Warnings are errors in this repository, also those of the trimmer and the AOT compiler.
  dotnet publish "$repo/src/AdmissionLas" --configuration Release --output "$output" --nologo --verbosity quiet >&2
  [[ -z $(find "$output" -mindepth 1 ! -name admission-las) ]] || die "$output contains more than the binary, and so would the image"
  binary="$output/admission-las"
}

# Debian 13's packages on any Debian, from the machine's own archive with apt's own keys; lists and state are in the cache.
apt13() {
  local command=$1
  shift
  "$command" -q -o Dir::State="$cache/apt" -o Dir::State::status="$cache/apt/status" -o Dir::Cache="$cache/apt" \
    -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# shellcheck disable=SC2016 # the dollars in the format are for apt
fetch_packages() {
  local site security keys=/usr/share/keyrings/debian-archive-keyring.gpg package
  [[ ! -f $cache/packages/complete ]] || return 0
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  security=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian-Security' | head -n 1)
  [[ -n $site ]] || die 'apt knows no Debian archive'
  say "fetching Debian 13's ${packages[*]}"
  rm -rf -- "$cache"
  mkdir -p -- "$cache/apt/lists/partial" "$cache/apt/archives/partial" "$cache/packages"
  : >"$cache/apt/status"
  printf 'deb [signed-by=%s] %s\n' "$keys" "$site $debian main" ${security:+"$keys" "$security $debian-security main"} >"$cache/apt/sources.list"
  apt13 apt-get update >"$cache/log" 2>&1 || die "apt-get update failed; see $cache/log"
  for package in "${packages[@]}" golang-github-containers-common; do
    (cd "$cache/apt" && apt13 apt-get download "$package") >>"$cache/log" 2>&1 || die "$package could not be downloaded; see $cache/log"
    dpkg-deb --extract "$cache/apt/$package"_*.deb "$cache/packages/$package"
  done
  touch "$cache/packages/complete"
}

# find_tool NAME: the one on PATH, else out of this Debian's own package.
find_tool() {
  command -v "$1" && return
  if [[ ! -d $cache/tools/$1 ]]; then
    mkdir -p "$cache/tools"
    (cd "$cache/tools" && apt-get -q -o APT::Sandbox::User=root download "$1" && dpkg-deb --extract "$1"_*.deb "$1") >>"$cache/log" 2>&1 ||
      die "$1 is missing and its package could not be downloaded; see $cache/log"
  fi
  find "$cache/tools/$1" -type f -name "$1" -path '*bin/*'
}

needed_by() { readelf --dynamic "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'; }

# add_library NAME: copies a shared library, and what it needs in turn.
add_library() {
  local found name target="$root/usr/lib/x86_64-linux-gnu/$1"
  [[ ! -e $target ]] || return 0
  found=$(find "$cache/packages" -name "$1" -path '*/x86_64-linux-gnu/*' | head -n 1)
  [[ -n $found ]] || die "$1 is in none of ${packages[*]}: the image's base would lack it"
  cp --dereference -- "$found" "$target"
  while read -r name; do
    add_library "$name"
  done < <(needed_by "$found")
}

# The binary, its linked libraries, and OpenSSL, which .NET loads on the first use of TLS. The other folders are mount points of the
# runtime.
make_root() {
  local name
  mkdir -p "$root"/{certs,config,dev,etc/ssl/certs,nodes,proc,usr/lib/x86_64-linux-gnu,usr/lib64}
  ln -s usr/lib "$root/lib"
  ln -s usr/lib64 "$root/lib64"
  install -m 555 -- "$binary" "$root/admission-las"
  while read -r name; do
    add_library "$name"
  done < <(needed_by "$binary" && echo libssl.so.3)
  mv "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$root/usr/lib64/"
  find "$cache/packages/ca-certificates/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$root/etc/ssl/certs/ca-certificates.crt"
  chmod -R go+rX "$root"
}

# --- Running it ------------------------------------------------------------------------------------------------------

# CRI-O's default profile for a container without capabilities on this architecture, minus what containerd's and Docker's also
# refuse. .NET and glibc work without these: no NUMA, clone instead of clone3.
make_seccomp() {
  jq '["get_mempolicy", "mbind", "set_mempolicy"] as $numa | {
    defaultAction, defaultErrnoRet,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: ([.syscalls[]
      | select((.includes.caps // []) == [] and ((.includes.arches // ["amd64"]) | index("amd64")) and ((.excludes.arches // []) | index("amd64") | not))
      | {names: (.names - ["clone3"] - $numa), action, errnoRet, args: (.args // [])} | with_entries(select(.value != null)) | select(.names != [])]
      + [{names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38}, {names: $numa, action: "SCMP_ACT_ERRNO", errnoRet: 1}])
  }' "$cache/packages/golang-github-containers-common/usr/share/containers/seccomp.json" >"$work/seccomp.json"
}

# bundle MODE ARGUMENT…: writes the bundle for runc. MODE is the mode of /certs: ro or rw.
bundle() {
  local mode=$1
  shift
  container="admission-las-try-$$"
  mkdir -p "$work/bundle"
  jq -n --slurpfile seccomp "$work/seccomp.json" --arg root "$root" --arg work "$work" --arg nodes "$repo/manifests/testbed" \
    --arg config "$repo/manifests/base" --arg mode "$mode" --argjson user "$user" --arg group "/$container" '{
    ociVersion: "1.0.2",
    process: {
      user: {uid: $user, gid: $user}, cwd: "/", args: (["/admission-las"] + $ARGS.positional), noNewPrivileges: true,
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "DOTNET_EnableDiagnostics=0"],
      capabilities: {bounding: [], effective: [], permitted: [], inheritable: [], ambient: []}
    },
    root: {path: $root, readonly: true},
    mounts: [
      {destination: "/proc", type: "proc", source: "proc"},
      {destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {destination: "/certs", type: "bind", source: ($work + "/certs"), options: ["bind", $mode]},
      {destination: "/config", type: "bind", source: $config, options: ["bind", "ro"]},
      {destination: "/nodes", type: "bind", source: $nodes, options: ["bind", "ro"]}
    ],
    linux: {
      namespaces: [{type: "pid"}, {type: "mount"}, {type: "ipc"}, {type: "uts"}],
      cgroupsPath: $group, resources: {memory: {limit: 268435456}}, seccomp: $seccomp[0],
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list"], readonlyPaths: ["/proc/sys", "/proc/irq", "/proc/bus"]
    }
  }' --args -- "$@" >"$work/bundle/config.json"
}

fail() {
  cat "$work/out" >&2
  die "$*; the output is above"
}

# run MODE ARGUMENT…: runs to the end and returns the exit code.
run() {
  bundle "$@"
  "$runc" --root "$work/runc" run --bundle "$work/bundle" "$container" >"$work/out" 2>&1 </dev/null
}

# create MODE ARGUMENT…: creates the container; start starts it.
create() {
  bundle "$@"
  "$runc" --root "$work/runc" create --bundle "$work/bundle" --pid-file "$work/pid" "$container" >"$work/out" 2>&1 </dev/null || fail 'runc could not create the container'
  pid=$(<"$work/pid")
}

start() { "$runc" --root "$work/runc" start "$container"; }

# await SECONDS WHAT COMMAND…: until the command succeeds, while the container runs.
await() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)) || [[ ! -e /proc/$pid ]]; then
      fail "$what did not happen"
    fi
    sleep 0.005
  done
}

# Without a process for each request, so that times are exact to a few milliseconds.
is_ready() (
  exec 3<>"/dev/tcp/127.0.0.1/$health"
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
  IFS= read -r status <&3
  [[ $status == *' 200 '* ]]
)

delete() {
  "$runc" --root "$work/runc" delete --force "$container" >/dev/null
  container=''
}

# --- The trial -------------------------------------------------------------------------------------------------------

[[ -n $binary ]] || publish
[[ -x $binary ]] || die "there is no executable $binary"
fetch_packages
runc=$(find_tool runc)
strace=$(find_tool strace)
root="$work/root"
make_root
make_seccomp
mkdir "$work/certs"
chown "$user:$user" "$work/certs"
port=$((20000 + $$ % 5000))
health=$((port + 5000))
serve=(serve --config /config/admission-las.yaml --snapshot /nodes/nodes.yaml --certificate /certs/serving/tls.crt
  --certificate-key /certs/serving/tls.key --port "$port" --health-port "$health")

say 'the demo'
run ro demo || fail "the demo ended with $?"
say 'certs init'
run rw certs init --directory /certs --trust-delay 0 || fail "certs init ended with $?"

# As an API server does: with the authority that certs init made, and the Service's name.
review() {
  jq -n '{apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: {
    uid: "5e0f1d4c-8a4b-4f0e-9d6e-0c8f4f6f0a11", operation: "CREATE", namespace: "kubeflow", kind: {group: "", version: "v1", kind: "Pod"},
    resource: {group: "", version: "v1", resource: "pods"},
    object: {apiVersion: "v1", kind: "Pod", metadata: {name: "predict", labels: {typeOfComponent: "Predict", OurLocation: "HOME-EDGE"}},
      spec: {containers: [{name: "main", image: "predict"}]}}}}' |
    curl --silent --show-error --fail --noproxy '*' --max-time 5 --cacert "$work/certs/trust/ca.crt" --connect-to "$service:443:127.0.0.1:$port" \
      --header 'Content-Type: application/json' --data-binary @- "https://$service/mutate"
}

is_steered() { jq --exit-status '.response.allowed and (.response.patch | @base64d | contains("home-edge-node"))' >/dev/null; }

say 'serve: ready, a review over TLS, SIGTERM'
bundle ro "${serve[@]}"
"$runc" --root "$work/runc" run --bundle "$work/bundle" "$container" >"$work/out" 2>&1 </dev/null &
pid=$!
await 30 'readiness' is_ready
review | is_steered || fail 'the review was not answered with a patch that names home-edge-node'
kill -TERM "$pid"
wait "$pid" || fail "after SIGTERM the server ended with $?"

say 'the same, traced'
create ro "${serve[@]}"
"$strace" -f -o "$work/attached" -p "$pid" 2>/dev/null &
tracer=$!
until [[ $(awk '/^TracerPid:/ { print $2 }' "/proc/$pid/status") != 0 ]]; do sleep 0.05; done
start
await 60 'readiness' is_ready
review | is_steered || fail 'the review was not answered with a patch that names home-edge-node'
kill -TERM "$pid"
wait "$tracer" || true
delete
# The calls before this are runc's own.
sed -n '/execve("\/admission-las"/,$p' "$work/attached" >"$work/trace"
grep -q "^$pid  *+++ exited with 0 +++" "$work/trace" || fail 'the traced server did not end with 0'

# none REGEX WHAT [BUT]: no traced call matches, except those that match BUT.
none() {
  if grep -E -- "$1" "$work/trace" | grep -Ev -- "${3:-^$}" >"$work/out"; then
    fail "$2"
  fi
}
none '= -1 (EPERM|ENOSYS)' 'the seccomp profile or the missing capabilities refused calls' '(clone3|get_mempolicy)(\(| resumed)'
none '= -1 (EROFS|EACCES)|open.*(O_WRONLY|O_RDWR|O_CREAT)|sun_path' 'the server wants to write'
none 'inotify_add_watch' 'the server watches folders, the whole root perhaps'
sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' "$work/trace" | sort -u >"$work/calls"

say "timing $starts starts"
times=()
for ((i = 0; i < starts; i++)); do
  ((i == 0)) || delete
  create ro "${serve[@]}"
  began=${EPOCHREALTIME/./}
  start
  await 30 'readiness' is_ready
  times+=($(((${EPOCHREALTIME/./} - began) / 1000)))
done
mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
sleep 5
memory() { awk -v key="$1:" '$1 == key { printf "%.1f MiB", $2 / 1024 }' "/proc/$pid/status"; }
idle="$(memory VmRSS), $(memory RssAnon) of it its own"
delete

mebibytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }'; }
cat <<TEXT
binary            $(mebibytes "$(stat -c %s "$root/admission-las")")
root filesystem   $(mebibytes "$(du --summarize --apparent-size --bytes "$root" | cut -f 1)"), compressed $(mebibytes "$(tar --create --directory "$root" . | gzip | wc -c)")
shared libraries  $(find "$root/usr" -type f -printf '%f\n' | sort | tr '\n' ' ')
start to ready    min ${times[0]} ms, median ${times[starts / 2]} ms, max ${times[-1]} ms of $starts starts, runc's own start included
idle memory       $idle
system calls      $(wc -l <"$work/calls") different ones, none refused but clone3 and get_mempolicy, which it can do without: $(tr '\n' ' ' <"$work/calls")
TEXT
