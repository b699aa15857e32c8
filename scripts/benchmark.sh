#!/usr/bin/env bash
# Measures what a review costs in the whole server, beside the floor: the same Kestrel and TLS, which ignores the review.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/benchmark.sh [--seconds N] [--rounds N] [--beside BINARY]...

Sends the 12 KB review of a real Kubeflow pod over TLS 1.3 to the server and to two floors. A floor is the same Kestrel, which reads the body and
sends a fixed answer of the same length: "floor" with .NET's defaults, "tuned" with the server's settings of the runtime and its memory for
connections. The protocols are HTTP/1.1 (wrk; the API server calls webhooks with it) and HTTP/2 (h2load), at 5, 500 and 5,000 nodes with 20
locations. One server at a time has core 0, and the client has core 1. All servers stay up and take turns in short slices. Each slice is compared
with the floors' slices of the same round, so a machine that becomes slower or faster does so for all.

Prints the median of the rounds: reviews a second, CPU time a review (the least noisy figure), p50 and p99, resident memory, start to ready
(of three starts), and the median of the ratios to the floor, then to the tuned one. All are compiled ahead of time, like the image's binary.
If something else used the cores meanwhile, a line says so: discard such a run.

  --seconds N   how long each slice lasts (default: 3)
  --rounds N    how many slices each server has (default: 7)
  --beside BINARY
                another build of the server, such as the one before a change, to be measured at 500 nodes in the same rounds, with the
                ratios of this one to it; may be given several times
  -h, --help    this text
TEXT
}

die() {
  printf 'benchmark: %s\n' "$*" >&2
  exit 1
}

seconds=3 rounds=7 besides=()
while (($#)); do
  case $1 in
    --seconds | --rounds)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see --help"
      [[ $1 == --seconds ]] && seconds=$2 || rounds=$2
      shift 2
      ;;
    --beside)
      [[ -x ${2-} && -f $2 ]] || die "--beside needs an executable file; see --help"
      besides+=("$(realpath -- "$2")")
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown argument $1; see --help" ;;
  esac
done

for tool in wrk h2load; do
  command -v "$tool" >/dev/null && continue
  ((EUID == 0)) && command -v apt-get >/dev/null || die "$tool is missing: apt-get install wrk nghttp2-client"
  apt-get install -y -qq wrk nghttp2-client >/dev/null
done
(($(nproc) >= 2)) || die 'this needs two cores: one for the server and one for the client'

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
servers=(floor tuned 5 500 5000)
readonly starts=3
declare -A pids=() ports=([floor]=29441 [tuned]=29440 [5]=29442 [500]=29443 [5000]=29444)
for i in "${!besides[@]}"; do
  servers+=("beside$i")
  ports[beside$i]=$((29445 + i))
done
# Those of src/AdmissionLas/AdmissionLas.csproj and Cli/ServeCommand.cs.
readonly settings=(DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0 DOTNET_GCgen0size=300000 DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1)
# shellcheck disable=SC2317
finish() {
  ((${#pids[@]} == 0)) || kill -9 "${pids[@]}" 2>/dev/null || true
  rm -rf -- "$work"
}
trap finish EXIT

dotnet build tests/AdmissionLas.Benchmarks --configuration Release --nologo --verbosity quiet
dotnet tests/AdmissionLas.Benchmarks/bin/Release/net10.0/AdmissionLas.Benchmarks.dll workload "$work"
bin=artifacts/benchmark
echo 'benchmark: publishing the server and the floor (some minutes)' >&2
for project in src/AdmissionLas tests/AdmissionLas.Floor; do
  dotnet publish "$project" --configuration Release --output "$bin" --nologo --verbosity quiet
done
cat >"$work/post.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("$work/review.json", "rb")
wrk.body = file:read("*a")
file:close()
LUA

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
idle_of_all() { awk '/^cpu / { print $5 + $6 }' /proc/stat; }
total_of_all() { awk '/^cpu / { t = 0; for (i = 2; i <= 9; i++) t += $i; print t }' /proc/stat; }

# start NAME: floor, tuned, the number of nodes, or beside and the number of another build. Sets $ready_ms.
start() {
  local began=${EPOCHREALTIME/./} port=${ports[$1]} as=() which=() server=$bin/admission-las nodes=$1
  [[ $1 != beside* ]] || server=${besides[${1#beside}]} nodes=500
  if [[ $1 == floor || $1 == tuned ]]; then
    [[ $1 == floor ]] || as=("${settings[@]}") which=(tuned)
    env "${as[@]}" taskset -c 0 "$bin/floor" "$port" "$work/certificate" "$work/decision.json" "${which[@]}" >"$work/server-$1.log" 2>&1 &
  else
    ADMISSION_LAS_LOGGING__LEVEL=Information ADMISSION_LAS_SERVER__HTTP2=true taskset -c 0 "$server" serve --snapshot "$work/nodes-$nodes.yaml" --address 127.0.0.1 \
      --port "$port" --health-port $((port - 400)) --certificate "$work/certificate/tls.crt" --certificate-key "$work/certificate/tls.key" >"$work/server-$1.log" 2>&1 &
  fi
  pids[$1]=$!
  until curl --silent --fail --cacert "$work/certificate/ca.crt" --data-binary "@$work/review.json" -H 'Content-Type: application/json' \
    "https://127.0.0.1:$port/mutate" -o "$work/answer.json" 2>/dev/null && [[ -s $work/answer.json ]]; do
    kill -0 "${pids[$1]}" 2>/dev/null || {
      cat "$work/server-$1.log" >&2
      die "the server ($1) ended before it was ready"
    }
    ((${EPOCHREALTIME/./} - began < 60000000)) || die "the server ($1) was not ready within a minute"
    sleep 0.01
  done
  ready_ms=$(((${EPOCHREALTIME/./} - began) / 1000))
  grep -q '"patch"' "$work/answer.json" || die "the server ($1) did not answer with a patch: $(head -c 300 "$work/answer.json")"
}

stop() {
  kill -9 "${pids[$1]}" 2>/dev/null || true
  wait "${pids[$1]}" 2>/dev/null || true
  unset "pids[$1]"
}

# load NAME PROTOCOL: prints "reviews/s p50_us p99_us count".
load() {
  local address=https://127.0.0.1:${ports[$1]}/mutate
  if [[ $2 == http1 ]]; then
    taskset -c 1 wrk --threads 1 --connections 16 --duration "${seconds}s" --latency --script "$work/post.lua" "$address" >"$work/load.log"
    ! grep -q 'Non-2xx' "$work/load.log" || die "not every review was answered: $(grep Non-2xx "$work/load.log")"
    awk '
      function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
      $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) } $2 == "requests" && $3 == "in" { n = $1 } $1 == "Requests/sec:" { rate = $2 }
      END { print rate, p50, p99, n }' "$work/load.log"
  else
    rm -f -- "$work/times"
    taskset -c 1 h2load --threads 1 --clients 1 --max-concurrent-streams 16 --duration "$seconds" --warm-up-time 1 --data "$work/review.json" \
      --header 'content-type: application/json' --log-file "$work/times" "$address" >"$work/load.log"
    local failed
    failed=$(awk '/^requests:/ { print $10 + $12 }' "$work/load.log")
    [[ $failed == 0 ]] || die "not every review was answered: $(grep '^requests:' "$work/load.log")"
    sort -n -k3,3 "$work/times" | awk -v s="$seconds" '{ t[NR] = $3 } END { print NR / s, t[int(NR * .5) + 1], t[int(NR * .99) + 1], NR }'
  fi
}

"$bin/admission-las" serve --snapshot "$work/nodes-5.yaml" --dev-certificate "$work/certificate" --port ${ports[5]} --health-port 29080 >/dev/null 2>&1 &
pids[5]=$!
until [[ -s $work/certificate/tls.key && -s $work/certificate/ca.crt ]]; do sleep 0.05; done
stop 5
# The floor's answer is the server's own.
start 500
cp -- "$work/answer.json" "$work/decision.json"
stop 500

results=$work/results
: >"$results"
disturbed=0
for ((i = 1; i <= starts; i++)); do
  for name in "${servers[@]}"; do
    start "$name"
    echo "$name ready $ready_ms" >>"$results"
    ((i == starts)) || stop "$name"
  done
done
for ((round = 0; round <= rounds; round++)); do
  for name in "${servers[@]}"; do
    for protocol in http1 http2; do
      cpu=$(ticks "${pids[$name]}") idle=$(idle_of_all) total=$(total_of_all)
      read -r rate p50 p99 count < <(load "$name" "$protocol")
      cpu=$(($(ticks "${pids[$name]}") - cpu)) idle=$(($(idle_of_all) - idle)) total=$(($(total_of_all) - total))
      # The first round warms up.
      ((round > 0)) || continue
      # The server and the client use both cores fully; a larger share than that belongs to other processes.
      others=$(awk -v t="$total" -v i="$idle" -v c="$cpu" -v n="$(nproc)" 'BEGIN { printf "%d", 100 * (t - i - c) / (t / n) - 100 }')
      ((others < 10)) || disturbed=1
      # The CPU time includes h2load's second of warm-up; the count does not.
      span=$seconds
      [[ $protocol == http1 ]] || span=$((seconds + 1))
      awk -v name="$name" -v p="$protocol" -v r="$rate" -v a="$p50" -v b="$p99" -v c="$cpu" -v n="$count" -v span="$span" -v secs="$seconds" \
        'BEGIN { print name, p, r, c * 10000 / (n * span / secs), a, b }' >>"$results"
    done
  done
done

# median NAME PROTOCOL FIELD: the median of a field of a server's lines.
median() { awk -v name="$1" -v p="$2" -v f="$3" '$1 == name && $2 == p { print $f }' "$results" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# ratio NAME PROTOCOL FIELD TO: the median of the ratios to another server's line of the same round.
ratio() {
  awk -v name="$1" -v p="$2" -v f="$3" -v to="$4" '$2 == p && $1 == to { of[++n] = $f } $2 == p && $1 == name { own[++m] = $f }
    END { for (i = 1; i <= m; i++) print own[i] / of[i] }' "$results" | sort -n | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'
}
ratios() { printf '%s %s' "$(ratio "$1" "$2" "$3" floor)" "$(ratio "$1" "$2" "$3" tuned)"; }

printf '%-10s %-6s %11s %9s %9s %9s %8s %8s %9s %7s %9s\n' server http reviews/s ratios 'CPU us' ratios 'p50 us' 'p99 us' ratios 'RSS MB' 'ready ms'
for protocol in http1 http2; do
  for name in "${servers[@]}"; do
    label=$name
    [[ $name != [0-9]* ]] || label="$name nodes"
    printf '%-10s %-6s %11.0f %9s %9.1f %9s %8.0f %8.0f %9s %7.0f %9d\n' "$label" $protocol "$(median "$name" $protocol 3)" "$(ratios "$name" $protocol 3)" \
      "$(median "$name" $protocol 4)" "$(ratios "$name" $protocol 4)" "$(median "$name" $protocol 5)" "$(median "$name" $protocol 6)" "$(ratios "$name" $protocol 6)" \
      "$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/${pids[$name]}/status")" "$(median "$name" ready 3)"
  done
done
for i in "${!besides[@]}"; do
  for protocol in http1 http2; do
    printf '500 nodes beside %s, %s: reviews/s %s, CPU %s, p99 %s\n' "${besides[$i]}" $protocol \
      "$(ratio 500 $protocol 3 "beside$i")" "$(ratio 500 $protocol 4 "beside$i")" "$(ratio 500 $protocol 6 "beside$i")"
  done
done
((!disturbed)) || printf 'Something else used the cores meanwhile: discard this run.\n'
