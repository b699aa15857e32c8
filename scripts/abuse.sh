#!/usr/bin/env bash
# Attacks the server as strangers, tenants and nodes could, and looks whether it goes on answering others.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/abuse.sh [--seconds N] [--server BINARY] [PART OF AN ATTACK'S NAME]

Runs each attack at full strength on a server of its own, with the memory that the container gives it (a heap limit of 288 MiB, as the runtime
sets it for 384Mi). Meanwhile real reviews are sent, on a connection that is kept and on new ones. The server has core 0, all else has core 1.

Prints for each attack how many reviews were answered and how many were lost, the 99th percentile of their times (on the connection that is kept,
and with a new one each), and the server's resident memory before, at its most, and at the end. An attack has held when no review was lost, the
first percentile is at most 100 ms, the process lives, and at most half a minute after the attack its memory is within 20% of before.

  --seconds N        how long each attack lasts (default: 10)
  --server BINARY    the server; without it the native binary is published first, which takes minutes
  -h, --help         this text
TEXT
}

die() {
  printf 'abuse: %s\n' "$*" >&2
  exit 1
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
seconds=10 server='' name=''
while (($#)); do
  case $1 in
    --seconds)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die '--seconds needs a number; see --help'
      seconds=$2
      shift 2
      ;;
    --server)
      [[ -x ${2-} && -f $2 ]] || die '--server needs an executable file; see --help'
      server=$(realpath -- "$2")
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown argument $1; see --help" ;;
    *)
      name=$1
      shift
      ;;
  esac
done

(($(nproc) >= 2)) || die 'this needs two cores: one for the server and one for the attacker'
# For thousands of connections.
ulimit -n 16384 2>/dev/null || die 'this needs 16384 open files: raise the limit (ulimit -n)'
dotnet build tests/AdmissionLas.Abuse --configuration Release --nologo --verbosity quiet
if [[ -z $server ]]; then
  echo 'abuse: publishing the server (some minutes)' >&2
  dotnet publish src/AdmissionLas --configuration Release --output artifacts/abuse --nologo --verbosity quiet
  server=$PWD/artifacts/abuse/admission-las
fi

exec taskset -c 1 dotnet tests/AdmissionLas.Abuse/bin/Release/net10.0/AdmissionLas.Abuse.dll "$server" "$seconds" "$name"
