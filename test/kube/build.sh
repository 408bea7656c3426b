#!/bin/sh
# Builds the Kubernetes control plane from its Go modules and prints the folder
# that holds it, as KUBEBUILDER_ASSETS wants it. Progress goes to standard
# error, so that `KUBEBUILDER_ASSETS=$(test/kube/build.sh)` works. A folder that
# the user names in KUBEBUILDER_ASSETS wins over building.
set -eu

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	for tool in etcd kube-apiserver kube-controller-manager kubectl; do
		if [ ! -x "$KUBEBUILDER_ASSETS/$tool" ]; then
			echo "kube: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS holds no $tool: unset it to build all four, or add the binary" >&2
			exit 1
		fi
	done
	echo "$KUBEBUILDER_ASSETS"
	exit 0
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here"

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
major=$(echo "$version" | sed -E 's/^v([0-9]+)\..*/\1/')
minor=$(echo "$version" | sed -E 's/^v[0-9]+\.([0-9]+)\..*/\1/')
# The binaries depend on the module graph and on the compiler, nothing else.
stamp=$(cat go.mod go.sum build.sh | cksum | cut -d' ' -f1)-$(go env GOVERSION)-$(go env GOARCH)
out=${EMRGUARD_CACHE:-$(cd ../.. && pwd)/.cache}/kube/$version-$stamp
mkdir -p "$out"

# Without the version the server calls itself v0.0.0, and clients that look at
# it (Helm's kubeVersion) refuse it.
flag=k8s.io/component-base/version
ldflags="-s -w -X $flag.gitVersion=$version -X $flag.gitMajor=$major -X $flag.gitMinor=$minor -X $flag.gitTreeState=clean"

build() {
	if [ -x "$out/$1" ]; then
		return
	fi
	start=$(date +%s)
	echo "kube: building $1 $3 (minutes when the Go cache is cold) ..." >&2
	CGO_ENABLED=0 go build -trimpath -ldflags "$ldflags" -o "$out/$1.tmp" "$2" >&2
	mv "$out/$1.tmp" "$out/$1"
	echo "kube: $1 built in $(($(date +%s) - start)) s" >&2
}
build etcd go.etcd.io/etcd/server/v3 "$(go list -m -f '{{.Version}}' go.etcd.io/etcd/server/v3)"
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$version"
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager "$version"
build kubectl k8s.io/kubernetes/cmd/kubectl "$version"
echo "$out"
