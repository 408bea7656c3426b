{{/*
The policies of a folder of files/policies, each with its binding. Go writes the files;
here they get their names, what they do, and the values of the installation. The action
of a binding cannot depend on who asks, so what is refused has a second policy for the
break-glass groups, which warns. Arguments: root, folder, name (a format), labels (of the
objects).
*/}}
{{- define "emrguard.policies" -}}
{{- $selector := include "emrguard.selectorRequirements" (default dict .root.Values.emr.namespaceSelector) | fromJsonArray }}
{{- $groups := (default dict .root.Values.breakGlass).groups }}
{{- range $path, $file := .root.Files.Glob (printf "files/policies/%s*.yaml" .folder) }}
{{- /* The values are above the mark; what is below it stays as it is. */}}
{{- $parts := regexSplit "(?m)^ +# From here on .*$" (toString $file) 2 }}
{{- $policy := first $parts | fromYaml }}
{{- $byLabel := contains "\n  paramKind:" (last $parts) }}
{{- $rule := get $policy.metadata.annotations "emrguard.dev/rule" }}
{{- $mode := include "emrguard.policyMode" (dict "root" $.root "rule" $rule) }}
{{- $variants := list }}
{{- if or (eq $mode "off") (and $byLabel (not $selector)) }}
{{- else if and (eq $mode "deny") (or (kindIs "invalid" $groups) $groups) }}
{{- $variants = list (dict "name" $policy.metadata.name "judges" "others" "mode" $mode) (dict "name" (printf "%s-break-glass" $policy.metadata.name) "judges" "break-glass" "mode" "warn") }}
{{- else }}
{{- $variants = list (dict "name" $policy.metadata.name "judges" "everybody" "mode" $mode) }}
{{- end }}
{{- range $variants }}
---
apiVersion: {{ $policy.apiVersion }}
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ printf $.name .name }}
  {{- with $.labels }}
  labels:
    {{- . | nindent 4 }}
  {{- end }}
  annotations:
    {{- toYaml $policy.metadata.annotations | nindent 4 }}
spec:
  variables:
    {{- include "emrguard.policyVariables" (dict "root" $.root "rule" $rule "judges" .judges "defaults" $policy.spec.variables) | trim | nindent 4 }}
    {{- last $parts }}
---
apiVersion: {{ $policy.apiVersion }}
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ printf $.name .name }}
  {{- with $.labels }}
  labels:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  policyName: {{ printf $.name .name }}
  validationActions: {{ get (dict "deny" (list "Deny" "Audit") "warn" (list "Warn" "Audit") "audit" (list "Audit")) .mode | toJson }}
  {{- if $byLabel }}
  paramRef:
    parameterNotFoundAction: Allow
    selector:
      {{- toYaml $.root.Values.emr.namespaceSelector | nindent 6 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}
