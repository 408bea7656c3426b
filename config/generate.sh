#!/bin/sh
# Renders the chart with its default values into config/default, for users of
# kustomize.
#
#   config/generate.sh            writes config/default/emrguard.yaml
#   config/generate.sh --check    fails when that file is not what it would write
#
# EMRGUARD_HELM3 names a Helm 3 binary; without it, one is built.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
helm=${EMRGUARD_HELM3:-$("$root/test/tools/build.sh" helm3)}
target=$root/config/default/emrguard.yaml

generated=$(mktemp)
trap 'rm -f "$generated"' EXIT
{
	echo '# Generated from charts/emrguard with its default values by config/generate.sh.'
	echo '# Do not edit: change the chart and run the script.'
	"$helm" template emrguard "$root/charts/emrguard" --namespace emrguard-system --no-hooks
} >"$generated"

case ${1:-} in
'')
	cat "$generated" >"$target"
	;;
--check)
	if ! diff -u "$target" "$generated" >&2; then
		echo "config/default/emrguard.yaml is stale: run config/generate.sh" >&2
		exit 1
	fi
	;;
*)
	echo "usage: config/generate.sh [--check]" >&2
	exit 2
	;;
esac
