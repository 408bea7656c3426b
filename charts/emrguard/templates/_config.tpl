{{/*
The configuration file. Only what the values set is written, so that the
defaults have one home, the program. Lists whose default is not empty are
written even when they are empty: an empty list of administrators is a choice.
*/}}
{{- define "emrguard.config" -}}
apiVersion: config.emrguard.dev/v1alpha1
kind: GuardConfiguration
{{- with .Values.mode }}
mode: {{ . }}
{{- end }}
{{- range $key := list "profiles" "tenants" "documentation" -}}
{{- with get $.Values $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" .Values.systemNamespaces) }}
systemNamespaces: {{ toJson .Values.systemNamespaces }}
{{- end }}
{{- $emr := dict -}}
{{- range $key := list "namespaces" "namespaceSelector" "account" "roleUsers" "virtualClusters" -}}
{{- with get $.Values.emr $key -}}
{{- $_ := set $emr $key . -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" .Values.emr.discover) -}}
{{- $_ := set $emr "discover" .Values.emr.discover -}}
{{- end -}}
{{- $principals := include "emrguard.setKeys" .Values.emr.principals | fromJson -}}
{{- with $principals -}}
{{- $_ := set $emr "principals" . -}}
{{- end -}}
{{- with $emr }}
emr:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "administrators" "breakGlass" -}}
{{- with include "emrguard.setKeys" (get $.Values $key) | fromJson }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- range $key := list "trustedSubjects" "credentialProviders" "overrides" "exemptions" -}}
{{- with get $.Values $key }}
{{ $key }}:
{{ toYaml . }}
{{- end }}
{{- end }}
{{- with .Values.rules }}
rules:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The keys of a map that hold a value other than null, as JSON. */}}
{{- define "emrguard.setKeys" -}}
{{- $set := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $set $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $set -}}
{{- end -}}
