{{/*
What the rules say about policies and webhooks besides their CEL: default modes and
conditions (files/policy-data.yaml, which the rules write).
*/}}
{{- define "emrguard.policyData" -}}
{{- .Files.Get "files/policy-data.yaml" | fromYaml | toJson -}}
{{- end -}}

{{/*
The mode of a rule for an object without a namespace: what the values say, tempered
by `mode`. Arguments: root, rule.
*/}}
{{- define "emrguard.policyMode" -}}
{{- $root := .root -}}
{{- $rule := .rule -}}
{{- $mode := get (include "emrguard.policyData" $root | fromJson).modes $rule -}}
{{- with (get $root.Values.rules $rule) -}}
{{- $mode = default $mode (ternary "off" .mode (eq (toString .mode) "false")) -}}
{{- end -}}
{{- /* An override for all rules does not wake a rule that is off by default. */ -}}
{{- $awake := or (ne (get (include "emrguard.policyData" $root | fromJson).modes $rule) "off") (ne $mode "off") -}}
{{- $overridden := false -}}
{{- range $root.Values.overrides -}}
{{- if not $overridden -}}
{{- $everywhere := false -}}
{{- range .namespaces -}}
{{- if not (trimAll "*" .) -}}
{{- $everywhere = true -}}
{{- end -}}
{{- end -}}
{{- if and $everywhere (or (and (not .rules) $awake) (has $rule (default list .rules))) -}}
{{- $mode = ternary "off" (toString .mode) (eq (toString .mode) "false") -}}
{{- $overridden = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $mode "deny") $root.Values.mode -}}
{{- $mode = $root.Values.mode -}}
{{- else if and (eq $mode "warn") (eq $root.Values.mode "audit") -}}
{{- $mode = "audit" -}}
{{- end -}}
{{- $mode -}}
{{- end -}}
