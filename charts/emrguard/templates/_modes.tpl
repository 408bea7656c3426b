{{/*
What the rules say about policies and webhooks besides their CEL: default modes and
conditions (files/policy-data.yaml, which the rules write).
*/}}
{{- define "emrguard.policyData" -}}
{{- .Files.Get "files/policy-data.yaml" | fromYaml | toJson -}}
{{- end -}}

{{/*
The mode of a rule's policy for an object without a namespace: what the values say,
tempered by `mode`. A policy refuses for all of its reasons alike, so the mildest mode that
the values give to one of them counts. Arguments: root, rule.
*/}}
{{- define "emrguard.policyMode" -}}
{{- $root := .root -}}
{{- $rule := .rule -}}
{{- $data := include "emrguard.policyData" $root | fromJson -}}
{{- $mode := get $data.modes $rule -}}
{{- $reasons := get $data.reasons $rule -}}
{{- $profile := toString (get (default dict $root.Values.profiles) "emr") -}}
{{- if has $profile (list "off" "false") -}}
{{- $mode = "off" -}}
{{- else if eq $profile "baseline" -}}
{{- $mode = get (dict "deny" "warn" "warn" "audit" "audit" "audit" "off" "off") $mode -}}
{{- end -}}
{{- $gravity := dict "off" 0 "false" 0 "audit" 1 "warn" 2 "deny" 3 -}}
{{- with (get $root.Values.rules $rule) -}}
{{- $mode = default $mode (ternary "off" .mode (eq (toString .mode) "false")) -}}
{{- range $name, $reason := .reasons -}}
{{- if and (has $name $reasons) (lt (get $gravity (toString $reason.mode) | int) (get $gravity $mode | int)) -}}
{{- $mode = ternary "off" (toString $reason.mode) (eq (toString $reason.mode) "false") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* An override for all rules does not wake a rule that is off by default. */ -}}
{{- $awake := or (ne (get $data.modes $rule) "off") (ne $mode "off") -}}
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
{{- else if and $everywhere (lt (get $gravity (toString .mode) | int) (get $gravity $mode | int)) -}}
{{- range .rules -}}
{{- if and (hasPrefix (print $rule "/") .) (has (trimPrefix (print $rule "/") .) $reasons) -}}
{{- $mode = "mildest" -}}
{{- end -}}
{{- end -}}
{{- if eq $mode "mildest" -}}
{{- $mode = ternary "off" (toString .mode) (eq (toString .mode) "false") -}}
{{- end -}}
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
