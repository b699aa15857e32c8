#!/usr/bin/env bash
# Renews the webhook's certificates: what the CronJob in the cluster does, by hand.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/rotate-certs.sh [OPTION…]          renews what is due, and finishes what was begun
       scripts/rotate-certs.sh VERB [OPTION…]     VERB is init, rotate, status or revoke-old

Calls `admission-las certs`, which does the work; --dry-run shows what it would do, and `scripts/rotate-certs.sh rotate --help` shows every
option. It works on the cluster that kubectl works on, or on files with --directory.

  ADMISSION_LAS_BIN    the program, executable or .dll; without it the one on the PATH, and without that src/AdmissionLas is built
TEXT
}

verb=rotate
case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
  init | rotate | status | revoke-old)
    verb=$1
    shift
    ;;
  -* | '') ;;
  *)
    printf 'rotate-certs: there is no verb %s; see --help\n' "$1" >&2
    exit 2
    ;;
esac

repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
program=${ADMISSION_LAS_BIN-}
# Out of the environment: the program takes variables of this prefix for its settings.
unset ADMISSION_LAS_BIN
if [[ -n $program ]]; then
  [[ -f $program ]] || {
    printf 'rotate-certs: ADMISSION_LAS_BIN is %s, which is not a file\n' "$program" >&2
    exit 1
  }
elif program=$(type -P admission-las); then
  :
else
  command -v dotnet >/dev/null || {
    printf 'rotate-certs: there is neither admission-las on the PATH nor dotnet to build it with; set ADMISSION_LAS_BIN\n' >&2
    exit 1
  }
  exec dotnet run --project "$repo/src/AdmissionLas" --configuration Release --verbosity quiet -- certs "$verb" "$@"
fi

command=("$program")
[[ $program != *.dll ]] || command=(dotnet "$program")
exec "${command[@]}" certs "$verb" "$@"
