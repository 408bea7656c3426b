#!/bin/sh
# Renders the chart: with its default values into config/default, for users of
# kustomize, and its policies for the files of an API server into config/static.
#
#   config/generate.sh            writes both files emrguard.yaml
#   config/generate.sh --check    fails when one is not what it would write
#
# EMRGUARD_HELM3 names a Helm 3 binary; without it, one is built.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
helm=${EMRGUARD_HELM3:-$("$root/test/tools/build.sh" helm3)}

# render writes what one of the generated files has to hold.
render() {
	echo "# Generated from charts/emrguard with $2 by config/generate.sh."
	echo '# Do not edit: change the chart and run the script.'
	case $1 in
	default) "$helm" template emrguard "$root/charts/emrguard" --namespace emrguard-system --no-hooks ;;
	static) "$helm" template emrguard "$root/charts/emrguard" --namespace emrguard-system --no-hooks \
		--values "$root/config/static/values.yaml" --set admissionPolicies.static=true --show-only templates/staticpolicies.yaml ;;
	esac
}

generated=$(mktemp)
trap 'rm -f "$generated"' EXIT

# each writes or checks one of them.
each() {
	target=$root/config/$1/emrguard.yaml
	render "$1" "$2" >"$generated"
	case $mode in
	'')
		cat "$generated" >"$target"
		;;
	--check)
		if ! diff -u "$target" "$generated" >&2; then
			echo "config/$1/emrguard.yaml is stale: run config/generate.sh" >&2
			exit 1
		fi
		;;
	*)
		echo "usage: config/generate.sh [--check]" >&2
		exit 2
		;;
	esac
}

mode=${1:-}
each default 'its default values'
each static 'config/static/values.yaml'
