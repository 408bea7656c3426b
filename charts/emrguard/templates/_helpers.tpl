{{/* Name of the application in labels. */}}
{{- define "emrguard.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Name of the objects. At most 50 characters, so that the suffixes of the chart
stay within the 63 characters of a DNS label.
*/}}
{{- define "emrguard.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "emrguard.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "emrguard.selectorLabels" -}}
app.kubernetes.io/name: {{ include "emrguard.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "emrguard.chartLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "emrguard.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "emrguard.labels" -}}
{{ include "emrguard.chartLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The pods of the webhook; the pod of `helm test` carries another component. */}}
{{- define "emrguard.podSelectorLabels" -}}
{{ include "emrguard.selectorLabels" . }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "emrguard.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "emrguard.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: name the ServiceAccount to use, since serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "emrguard.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/*
The Secret with the serving certificate. Self-managed and cert-manager use
different names: their Secrets have different types, and the type of a Secret
cannot be changed.
*/}}
{{- define "emrguard.certificateSecret" -}}
{{- if .Values.certificates.secretName -}}
{{- .Values.certificates.secretName -}}
{{- else if eq .Values.certificates.mode "cert-manager" -}}
{{- printf "%s-webhook-tls" (include "emrguard.fullname" .) -}}
{{- else -}}
{{- printf "%s-webhook-certs" (include "emrguard.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/*
GOMEMLIMIT in bytes: 90 % of a Kubernetes quantity, rounded down. Computed here
because a resourceFieldRef can divide but not take a share of the limit.
Argument: the quantity, for example 256Mi.
*/}}
{{- define "emrguard.goMemoryLimit" -}}
{{- $quantity := toString . -}}
{{- $units := dict
  "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- $bytes := 0.0 -}}
{{- if regexMatch "^[0-9]+([.][0-9]*)?([eE][+-]?[0-9]+)?$" $quantity -}}
{{- $bytes = float64 $quantity -}}
{{- else if regexMatch "^[0-9]+([.][0-9]*)?([KMGTPE]i|[mkMGTPE])$" $quantity -}}
{{- $number := regexFind "^[0-9]+([.][0-9]*)?" $quantity -}}
{{- $bytes = mulf (float64 $number) (get $units (trimPrefix $number $quantity)) -}}
{{- else -}}
{{- fail (printf "resources.limits.memory: %q is no quantity of memory: write it like 256Mi or 1Gi" $quantity) -}}
{{- end -}}
{{- if lt $bytes 1048576.0 -}}
{{- fail (printf "resources.limits.memory: %q is less than 1Mi: write it like 256Mi or 1Gi" $quantity) -}}
{{- end -}}
{{- printf "%.0f" (floor (mulf $bytes 0.9)) -}}
{{- end -}}

{{/*
The spread constraints as a JSON list, each completed by the label selector of
the pods and by their template's hash, so that a rolling update counts only the
new pods.
*/}}
{{- define "emrguard.topologySpreadConstraints" -}}
{{- $constraints := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $constraint := deepCopy . -}}
{{- if not (hasKey . "labelSelector") -}}
{{- $_ := set $constraint "labelSelector" (dict "matchLabels" (include "emrguard.podSelectorLabels" $ | fromYaml)) -}}
{{- if not (hasKey . "matchLabelKeys") -}}
{{- $_ := set $constraint "matchLabelKeys" (list "pod-template-hash") -}}
{{- end -}}
{{- end -}}
{{- $constraints = append $constraints $constraint -}}
{{- end -}}
{{- toJson $constraints -}}
{{- end -}}

{{/* Namespaces that the API server never asks emrguard about, as a JSON list. */}}
{{- define "emrguard.excludedNamespaces" -}}
{{- concat (list "kube-system" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq | toJson -}}
{{- end -}}
