{{/*
The variables at the top of a policy of files/policies, with the values of the
installation. What is null keeps the default. Arguments: root, rule, judges, defaults.
*/}}
{{- define "emrguard.policyVariables" -}}
{{- $administrators := default dict .root.Values.administrators -}}
{{- $principals := default dict .root.Values.emr.principals -}}
{{- $params := default dict (default dict (get .root.Values.rules .rule)).params -}}
{{- $allowed := list -}}
{{- range $params.allowed -}}
{{- $allowed = append $allowed (dict "names" (list .name) "users" .users) -}}
{{- end -}}
{{- $exemptions := list -}}
{{- range .root.Values.exemptions -}}
{{- if and (eq (splitList "/" .rule | first) $.rule) (not .expires) (not .subject) (not (trimAll "*" (default "" .namespace))) -}}
{{- $exemptions = append $exemptions (dict "object" (default "*" .object) "user" (default "*" .user)) -}}
{{- end -}}
{{- end -}}
{{- $values := include "emrguard.setKeys" (dict
  "administratorGroups" $administrators.groups
  "administratorUsers" $administrators.users
  "allowedWebhooks" $allowed
  "breakGlassGroups" (default dict .root.Values.breakGlass).groups
  "byLabel" (ne "[]" (include "emrguard.selectorRequirements" (default dict .root.Values.emr.namespaceSelector)))
  "caBundleWriters" $params.caBundleWriters
  "exemptions" $exemptions
  "fullname" (include "emrguard.fullname" .root)
  "jobAccounts" $principals.jobAccounts
  "judges" .judges
  "namespaces" .root.Values.emr.namespaces
  "operators" $principals.operators
  "serviceAccount" (printf "system:serviceaccount:%s:%s" .root.Release.Namespace (include "emrguard.serviceAccountName" .root))) | fromJson -}}
{{- range .defaults }}
- name: {{ .name }}
  expression: {{ hasKey $values .name | ternary (toJson (get $values .name)) .expression | toJson }}
{{- end -}}
{{- end -}}
