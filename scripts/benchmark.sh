#!/usr/bin/env bash
# What a review costs through the whole server, beside the floor: the same Kestrel and TLS without looking at the review.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/benchmark.sh [--seconds N] [--rounds N]

Sends the 12 KB review of a real Kubeflow pod over TLS 1.3 to the server and to a floor (the same Kestrel, which reads the body and gives a
fixed answer of the same length), in turn, with HTTP/1.1 (wrk; what the API server speaks to webhooks) and HTTP/2 (h2load), at 5, 500
and 5,000 nodes with 20 locations. The server has core 0 to itself and the client core 1. Prints the median of the rounds: reviews a
second, CPU time a review (the least noisy figure), p50 and p99, resident memory, start to ready, and each one's ratio to the floor.

Both are compiled ahead of time, as the image's binary is. A line says when something else used the cores meanwhile: discard such a run.

  --seconds N   how long each measurement lasts (default: 8)
  --rounds N    how often each is repeated (default: 3)
  -h, --help    this text
TEXT
}

die() {
  printf 'benchmark: %s\n' "$*" >&2
  exit 1
}

seconds=8 rounds=3
while (($#)); do
  case $1 in
    --seconds | --rounds)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see --help"
      [[ $1 == --seconds ]] && seconds=$2 || rounds=$2
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
(($(nproc) >= 2)) || die 'this needs two cores, one for the server and one for the client'

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
server=''
# shellcheck disable=SC2317
finish() {
  [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
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

readonly port=29443 health=29080
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
idle_of_all() { awk '/^cpu / { print $5 + $6 }' /proc/stat; }
total_of_all() { awk '/^cpu / { t = 0; for (i = 2; i <= 9; i++) t += $i; print t }' /proc/stat; }

# start NAME: floor, or the number of nodes. Sets $server and $ready_ms.
start() {
  local began=${EPOCHREALTIME/./}
  if [[ $1 == floor ]]; then
    taskset -c 0 "$bin/floor" $port "$work/certificate" "$work/decision.json" >"$work/server.log" 2>&1 &
  else
    ADMISSION_LAS_LOGGING__LEVEL=Information taskset -c 0 "$bin/admission-las" serve --snapshot "$work/nodes-$1.yaml" \
      --address 127.0.0.1 --port $port --health-port $health --certificate "$work/certificate/tls.crt" --certificate-key "$work/certificate/tls.key" >"$work/server.log" 2>&1 &
  fi
  server=$!
  until curl --silent --fail --cacert "$work/certificate/ca.crt" --data-binary "@$work/review.json" -H 'Content-Type: application/json' \
    "https://127.0.0.1:$port/mutate" -o "$work/answer.json" 2>/dev/null && [[ -s $work/answer.json ]]; do
    kill -0 "$server" 2>/dev/null || {
      cat "$work/server.log" >&2
      die "the server ($1) ended before it was ready"
    }
    ((${EPOCHREALTIME/./} - began < 60000000)) || die "the server ($1) was not ready within a minute"
    sleep 0.01
  done
  ready_ms=$(((${EPOCHREALTIME/./} - began) / 1000))
  grep -q '"patch"' "$work/answer.json" || die "the server ($1) did not answer with a patch: $(head -c 300 "$work/answer.json")"
}

stop() {
  kill -9 "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=''
}

# load PROTOCOL SECONDS: prints "reviews/s p50_us p99_us count".
load() {
  if [[ $1 == http1 ]]; then
    taskset -c 1 wrk --threads 1 --connections 16 --duration "${2}s" --latency --script "$work/post.lua" "https://127.0.0.1:$port/mutate" >"$work/load.log"
    ! grep -q 'Non-2xx' "$work/load.log" || die "not every review was answered: $(grep Non-2xx "$work/load.log")"
    awk '
      function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
      $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) } $2 == "requests" && $3 == "in" { n = $1 } $1 == "Requests/sec:" { rate = $2 }
      END { print rate, p50, p99, n }' "$work/load.log"
  else
    rm -f -- "$work/times"
    taskset -c 1 h2load --threads 1 --clients 1 --max-concurrent-streams 16 --duration "$2" --warm-up-time 1 --data "$work/review.json" \
      --header 'content-type: application/json' --log-file "$work/times" "https://127.0.0.1:$port/mutate" >"$work/load.log"
    local failed
    failed=$(awk '/^requests:/ { print $10 + $12 }' "$work/load.log")
    [[ $failed == 0 ]] || die "not every review was answered: $(grep '^requests:' "$work/load.log")"
    sort -n -k3,3 "$work/times" | awk -v s="$2" '{ t[NR] = $3 } END { print NR / s, t[int(NR * .5) + 1], t[int(NR * .99) + 1], NR }'
  fi
}

"$bin/admission-las" serve --snapshot "$work/nodes-5.yaml" --dev-certificate "$work/certificate" --port $port --health-port $health >/dev/null 2>&1 &
server=$!
until [[ -s $work/certificate/ca.crt ]]; do sleep 0.05; done
stop
# What the floor answers is what the server does.
start 500
cp -- "$work/answer.json" "$work/decision.json"
stop

results=$work/results
: >"$results"
disturbed=0
for ((round = 1; round <= rounds; round++)); do
  for name in floor 5 500 5000; do
    start "$name"
    for protocol in http1 http2; do
      load "$protocol" 3 >/dev/null
      cpu=$(ticks "$server") idle=$(idle_of_all) total=$(total_of_all)
      read -r rate p50 p99 count < <(load "$protocol" "$seconds")
      cpu=$(($(ticks "$server") - cpu)) idle=$(($(idle_of_all) - idle)) total=$(($(total_of_all) - total))
      # Of two cores both are wanted; what neither the server nor the client used was idle, and nobody else may have had a share.
      others=$(awk -v t="$total" -v i="$idle" -v c="$cpu" -v n="$(nproc)" 'BEGIN { printf "%d", 100 * (t - i - c) / (t / n) - 100 }')
      ((others < 10)) || disturbed=1
      rss=$(awk '/VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")
      # h2load's own second of warm-up is in the CPU time and not in the count.
      span=$seconds
      [[ $protocol == http1 ]] || span=$((seconds + 1))
      awk -v name="$name" -v p="$protocol" -v r="$rate" -v a="$p50" -v b="$p99" -v c="$cpu" -v n="$count" -v m="$rss" -v s="$ready_ms" -v span="$span" -v secs="$seconds" \
        'BEGIN { print name, p, r, c * 10000 / (n * span / secs), a, b, m, s }' >>"$results"
    done
    stop
  done
done

median() { awk -v name="$1" -v p="$2" -v f="$3" '$1 == name && $2 == p { print $f }' "$results" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

printf '%-9s %-6s %11s %7s %11s %7s %8s %8s %7s %7s %9s\n' server http reviews/s ratio 'CPU us' ratio 'p50 us' 'p99 us' ratio 'RSS MB' 'ready ms'
for protocol in http1 http2; do
  for name in floor 5 500 5000; do
    awk -v name="$name" -v p="$protocol" \
      -v r="$(median "$name" $protocol 3)" -v fr="$(median floor $protocol 3)" -v c="$(median "$name" $protocol 4)" -v fc="$(median floor $protocol 4)" \
      -v a="$(median "$name" $protocol 5)" -v b="$(median "$name" $protocol 6)" -v fb="$(median floor $protocol 6)" -v m="$(median "$name" $protocol 7)" -v s="$(median "$name" $protocol 8)" \
      'BEGIN { printf "%-9s %-6s %11.0f %7.2f %11.1f %7.2f %8.0f %8.0f %7.2f %7d %9d\n", name == "floor" ? name : name " nodes", p, r, r / fr, c, c / fc, a, b, b / fb, m, s }'
  done
done
((!disturbed)) || printf 'Something else used the cores meanwhile: discard this run.\n'
