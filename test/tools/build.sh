#!/bin/sh
# Builds one of the tools beside this script (helm3, helm4, kustomize, ...) from
# its Go module and prints the path of the binary. Progress goes to standard
# error, so that `helm=$(test/tools/build.sh helm3)` works.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${1:-}
if [ $# -ne 1 ] || [ ! -f "$here/$name/go.mod" ]; then
	echo "usage: test/tools/build.sh NAME, one of:" >&2
	for module in "$here"/*/go.mod; do
		echo "  $(basename "$(dirname "$module")")" >&2
	done
	exit 2
fi
cd "$here/$name"

package=$(go list -f '{{.ImportPath}}' tool)
module=$(go list -f '{{.Module.Path}}' tool)
version=$(go list -m -f '{{.Version}}' "$module")
# The binary depends on the module graph and on the compiler, nothing else.
stamp=$(cat go.mod go.sum ../build.sh | cksum | cut -d' ' -f1)-$(go env GOVERSION)-$(go env GOARCH)
out=${EMRGUARD_CACHE:-$(cd ../../.. && pwd)/.cache}/tools/$name-$version-$stamp
if [ -x "$out" ]; then
	echo "$out"
	exit 0
fi
mkdir -p "$(dirname "$out")"

ldflags="-s -w"
tags=
case $name in
promtool)
	# Without the clients of two dozen clouds, which discover targets.
	tags=remove_all_sd
	;;
helm3 | helm4)
	ldflags="$ldflags -X $module/internal/version.version=$version"
	;;
esac
if [ "$name" = helm3 ]; then
	# Helm 3 believes in the Kubernetes version that its build was given, and
	# falls back to 1.20; `helm template` compares it with the kubeVersion of
	# the chart. Kubernetes 1.N is client-go 0.N.
	minor=$(go list -m -f '{{.Version}}' k8s.io/client-go | cut -d. -f2)
	for package_of_version in pkg/lint/rules pkg/chartutil; do
		ldflags="$ldflags -X $module/$package_of_version.k8sVersionMajor=1 -X $module/$package_of_version.k8sVersionMinor=$minor"
	done
fi

start=$(date +%s)
echo "tools: building $name $version (minutes when the Go cache is cold) ..." >&2
CGO_ENABLED=0 go build -trimpath -tags "$tags" -ldflags "$ldflags" -o "$out.tmp.$$" "$package" >&2
mv "$out.tmp.$$" "$out"
echo "tools: $name built in $(($(date +%s) - start)) s" >&2
echo "$out"
