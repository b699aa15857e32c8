#!/usr/bin/env bash
# Rotates the webhook's certificates by hand, as the CronJob in the cluster does.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/rotate-certs.sh [OPTION…]          renews what is due, and finishes an interrupted rotation
       scripts/rotate-certs.sh COMMAND [OPTION…]  COMMAND is init, rotate, status or revoke-old

Runs `admission-las certs`. --dry-run shows what it would do, and `scripts/rotate-certs.sh rotate --help` shows every option. It uses the same
cluster as kubectl, or files with --directory.

  ADMISSION_LAS_BIN    the program, executable or .dll (default: the one on the PATH, else src/AdmissionLas is built)
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
    printf 'rotate-certs: unknown command %s; see --help\n' "$1" >&2
    exit 2
    ;;
esac

repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
program=${ADMISSION_LAS_BIN-}
# Unset: the program reads variables with this prefix as settings.
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
    printf 'rotate-certs: neither admission-las nor dotnet is on the PATH; set ADMISSION_LAS_BIN\n' >&2
    exit 1
  }
  exec dotnet run --project "$repo/src/AdmissionLas" --configuration Release --verbosity quiet -- certs "$verb" "$@"
fi

command=("$program")
[[ $program != *.dll ]] || command=(dotnet "$program")
exec "${command[@]}" certs "$verb" "$@"
