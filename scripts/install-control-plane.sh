#!/usr/bin/env bash
# Puts etcd, kube-apiserver, kube-scheduler and kubectl into one folder outside the repository and prints that folder.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/install-control-plane.sh

Puts etcd, kube-apiserver, kube-scheduler and kubectl into one folder and prints that folder as the last line of
standard output; progress goes to standard error. Does nothing if working ones are there already.

On Debian 12, nothing set    kube-apiserver and kube-scheduler are built from Debian's own source package of Kubernetes
                             1.20 (needs root or sudo for apt-get; about ten minutes on two cores, once). A deb-src
                             entry is added to /etc/apt/sources.list.d if apt has none.
With KUBEBUILDER_ASSETS set  that folder's etcd, kube-apiserver and kubectl are used (envtest's convention), and its
                             kube-scheduler; if it has none, one from the cache or on PATH whose version fits.

  KUBEBUILDER_ASSETS   folder with the binaries of a Kubernetes release
  XDG_CACHE_HOME       the cache is $XDG_CACHE_HOME/admissionlas/control-plane (default: ~/.cache/…)
TEXT
}

case ${1-} in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *)
    echo "install-control-plane: unknown option $1; see --help" >&2
    exit 2
    ;;
esac

readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/admissionlas/control-plane"
readonly bin="$cache/bin" log="$cache/install.log"
readonly set_assets='set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kubectl and kube-scheduler of one Kubernetes release'
workspace=''
sudo=()
apt_is_ready=0

say() { printf 'install-control-plane: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# step TEXT COMMAND…: runs a command with its output in the log, and shows the end of the log if it fails.
step() {
  local text=$1
  shift
  say "$text"
  if ! { printf '\n== %s\n' "$text" && "$@"; } >>"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die "failed: $text (whole log: $log)"
  fi
}

# --- What there is already -------------------------------------------------------------------------------------------

runs() {
  [[ -x $1 ]] || return 1
  case ${1##*/} in
    kubectl) "$1" version --client >/dev/null 2>&1 ;;
    *) "$1" --version >/dev/null 2>&1 ;;
  esac
}

all_run() {
  local name
  for name in etcd kube-apiserver kube-scheduler kubectl; do
    runs "$1/$name" || return 1
  done
}

# The minor release of a kube-… binary: 20 for "Kubernetes v1.20.2".
minor_of() {
  local version
  version=$("$1" --version)
  [[ $version =~ v1\.([0-9]+)\. ]] || die "cannot read a Kubernetes version from $1 --version: $version"
  echo "${BASH_REMATCH[1]}"
}

# Kubernetes' own rule: the scheduler is of the API server's minor release or of the one before. Any other may use APIs that the
# server has dropped: then it reports healthy and schedules nothing.
fits() {
  local scheduler
  runs "$2" || return 1
  scheduler=$(minor_of "$2")
  ((scheduler == $1 || scheduler + 1 == $1))
}

# --- KUBEBUILDER_ASSETS ----------------------------------------------------------------------------------------------

use_assets() {
  local assets name apiserver_minor scheduler='' candidate links
  assets=$(realpath -e -- "$KUBEBUILDER_ASSETS" 2>/dev/null) || die "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which does not exist"
  for name in etcd kube-apiserver kubectl; do
    runs "$assets/$name" || die "KUBEBUILDER_ASSETS is $assets, which has no $name that runs; complete that folder, or unset the variable"
  done
  if runs "$assets/kube-scheduler"; then
    echo "$assets"
    return
  fi

  apiserver_minor=$(minor_of "$assets/kube-apiserver")
  for candidate in "$bin/kube-scheduler" "$(command -v kube-scheduler || true)"; do
    if fits "$apiserver_minor" "$candidate"; then
      scheduler=$candidate
      break
    fi
  done
  if [[ -z $scheduler ]]; then
    # Debian's source has 1.20, which fits only these two.
    [[ $apiserver_minor == 20 || $apiserver_minor == 21 ]] ||
      die "KUBEBUILDER_ASSETS is $assets with kube-apiserver 1.$apiserver_minor and no kube-scheduler; put a kube-scheduler of 1.$apiserver_minor into it or on PATH"
    install_from_debian kube-scheduler
    scheduler="$bin/kube-scheduler"
  fi

  links="$cache/assets-$(printf '%s\n' "$assets" "$scheduler" | cksum | cut -d ' ' -f 1)"
  mkdir -p "$links"
  ln -sfn -t "$links" "$assets/etcd" "$assets/kube-apiserver" "$assets/kubectl" "$scheduler"
  echo "$links"
}

# --- Debian ----------------------------------------------------------------------------------------------------------

# install_from_debian NAME…: puts these binaries into the cache. A second run waits for the first and finds the work done.
install_from_debian() {
  local name wanted=()
  command -v apt-get >/dev/null || die "this system has no apt-get and the build needs Debian 12's source package; $set_assets"
  mkdir -p "$bin"
  exec 9>"$cache/lock"
  if ! flock --nonblock 9; then
    say 'another run is at work; waiting for it'
    flock 9
  fi

  for name in "$@"; do
    runs "$bin/$name" || wanted+=("$name")
  done
  ((${#wanted[@]})) || return 0
  : >"$log"
  [[ $cache != *[[:space:]]* ]] || die "the build path ($cache) must not contain white space; set XDG_CACHE_HOME to a folder without it"
  workspace=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf -- "$workspace"' EXIT
  trap 'exit 130' INT TERM

  local built=()
  for name in "${wanted[@]}"; do
    case $name in
      etcd) take_binary etcd etcd-server ;;
      kubectl) take_binary kubectl kubernetes-client ;;
      *) built+=("$name") ;;
    esac
  done
  ((${#built[@]} == 0)) || build "${built[@]}"
}

# Once a run, before the first use of apt.
prepare_apt() {
  ((apt_is_ready)) && return
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "apt-get needs root and there is no sudo: run this as root once with your HOME, or $set_assets"
    sudo=(sudo)
  fi
  step 'apt-get update' apt update
  apt_is_ready=1
}

apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"; }

# take_binary NAME PACKAGE: links the one on PATH, else extracts it from its package. The package is not installed: etcd's
# package would start an etcd for the whole machine.
take_binary() {
  local found
  if found=$(command -v "$1") && runs "$found"; then
    ln -sfn "$found" "$bin/$1"
    return
  fi
  prepare_apt
  step "taking $1 out of the package $2" unpack "$2"
  install -m 755 "$workspace/$2/usr/bin/$1" "$bin/.$1.new"
  mv "$bin/.$1.new" "$bin/$1"
}

unpack() {
  (cd "$workspace" && apt-get -q download "$1" && dpkg-deb --extract "$1"_*.deb "$1")
}

build() {
  local version name tree="$workspace/go/src/k8s.io/kubernetes"
  prepare_apt
  version=$(source_version)
  if [[ -z $version ]]; then
    step 'adding deb-src entries to /etc/apt/sources.list.d' add_source_entries
    step 'apt-get update with deb-src' apt update
    version=$(source_version)
  fi
  [[ -n $version ]] || die "apt has no source package of Kubernetes 1.20, which Debian 12 has; $set_assets"
  [[ -n $(apt-cache search --names-only '^golang-1\.19-go$') ]] || die "apt has no golang-1.19-go, which Debian 12 has; $set_assets"

  step 'installing golang-1.19-go, rsync and dpkg-dev' apt install --no-install-recommends golang-1.19-go rsync dpkg-dev
  step "fetching the source of kubernetes $version" fetch "$version" "$tree"
  step 'replacing its reflect2, which crashes under Go 1.18 and later' update_reflect2 "$tree"
  step "building $* (about ten minutes on two cores; log: $log)" compile "$tree" "$@"
  for name in "$@"; do
    install -m 755 "$tree/_output/bin/$name" "$bin/.$name.new"
    mv "$bin/.$name.new" "$bin/$name"
  done
}

source_version() {
  { apt-cache showsrc --only-source kubernetes 2>/dev/null || true; } | sed -n 's/^Version: \(1\.20\..*\)/\1/p' | sort -V | tail -n 1
}

# Copies the machine's own entries for Debian as deb-src, with mirror and keys, into files of our own.
# shellcheck disable=SC2016 # the dollar in the format is for apt
add_source_entries() {
  local entry file number lines='' stanzas='' parts=/etc/apt/sources.list.d
  while IFS= read -r entry; do
    file=${entry%:*} number=${entry##*:}
    case $file in
      *.sources)
        # Entry number N is the Nth paragraph; comments do not count.
        stanzas+=$(grep -v '^#' "$file" | awk -v RS= -v n="$number" 'NR == n' | sed 's/^Types:.*/Types: deb-src/')$'\n\n'
        ;;
      *)
        # Entry number N is line N.
        lines+=$(sed -n "${number}s/^[[:space:]]*deb[[:space:]]/deb-src /p" "$file")$'\n'
        ;;
    esac
  done < <(apt-get indextargets --format '$(SOURCESENTRY)' 'Created-By: Packages' 'Origin: Debian' | sort -u)
  [[ -n $lines$stanzas ]] || {
    echo 'apt knows no Debian archive'
    return 1
  }
  [[ -z $lines ]] || printf '# For scripts/install-control-plane.sh of AdmissionLas.\n%s' "$lines" | "${sudo[@]}" tee "$parts/admissionlas-deb-src.list"
  [[ -z $stanzas ]] || printf '# For scripts/install-control-plane.sh of AdmissionLas.\n%s' "$stanzas" | "${sudo[@]}" tee "$parts/admissionlas-deb-src.sources"
}

# apt checks the archive's signature; dpkg-source need not check the maintainer's.
fetch() {
  mkdir -p "${2%/*}" &&
    (cd "$workspace" && apt-get -q source --download-only "kubernetes=$1" && dpkg-source --no-check -x kubernetes_*.dsc "$2")
}

# The copy of github.com/modern-go/reflect2 in Kubernetes 1.20 is 1.0.1. It calls into the Go runtime by a signature that Go 1.18
# changed, and the API server dies when it writes certain maps as JSON (a PATCH of a node, for one). Debian packages 1.0.2.
update_reflect2() {
  local package=golang-github-modern-go-reflect2-dev path=github.com/modern-go/reflect2
  unpack "$package" &&
    rm -r "$1/vendor/$path" &&
    cp -r "$workspace/$package/usr/share/gocode/src/$path" "$1/vendor/$path"
}

# Kubernetes 1.20 builds in a GOPATH; its source has all dependencies.
compile() {
  local tree=$1 name targets=''
  shift
  for name in "$@"; do
    targets+="cmd/$name "
  done
  env -u GOROOT -u GOBIN -u MAKEFLAGS -u MAKELEVEL GOPATH="$workspace/go" GOCACHE="$workspace/cache" GOFLAGS='' GO111MODULE=off CGO_ENABLED=0 \
    PATH="/usr/lib/go-1.19/bin:$PATH" make -C "$tree" WHAT="${targets% }"
}

# scripts/control-plane.sh also needs curl and openssl.
install_tools() {
  local missing=() tool
  for tool in curl openssl; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "install ${missing[*]} first: scripts/control-plane.sh needs them"
  mkdir -p "$cache"
  prepare_apt
  step "installing ${missing[*]}" apt install --no-install-recommends "${missing[@]}"
}

install_tools
if [[ -n ${KUBEBUILDER_ASSETS-} ]]; then
  use_assets
else
  all_run "$bin" || install_from_debian etcd kube-apiserver kube-scheduler kubectl
  echo "$bin"
fi
