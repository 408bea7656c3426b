{{/*
The entries of the ValidatingWebhookConfiguration divide all namespaces without
overlap and without gap, so that every request is sent exactly once. With
N = emr.namespaces and r1 AND r2 … = emr.namespaceSelector:

  managed         name in N
  managed-label   name not in N, r1, r2, …
  cluster         name not in N, NOT r1
  cluster-2       name not in N, r1, NOT r2
  …

Each operator of a label selector has an exact negation; a NOT over the whole
selector does not exist. Excluded namespaces are left out of every entry.
*/}}

{{/* emr.namespaceSelector as a JSON list of requirements. */}}
{{- define "emrguard.selectorRequirements" -}}
{{- $requirements := list -}}
{{- range $key, $value := .matchLabels -}}
{{- $requirements = append $requirements (dict "key" $key "operator" "In" "values" (list $value)) -}}
{{- end -}}
{{- range .matchExpressions -}}
{{- $requirement := dict "key" .key "operator" .operator -}}
{{- with .values -}}
{{- $_ := set $requirement "values" . -}}
{{- end -}}
{{- $requirements = append $requirements $requirement -}}
{{- end -}}
{{- toJson $requirements -}}
{{- end -}}

{{/* The negation of one requirement, as JSON. */}}
{{- define "emrguard.negatedRequirement" -}}
{{- $negations := dict "In" "NotIn" "NotIn" "In" "Exists" "DoesNotExist" "DoesNotExist" "Exists" -}}
{{- toJson (set (deepCopy .) "operator" (get $negations .operator)) -}}
{{- end -}}

{{/*
Rules without the cluster-scoped resources, except namespaces, as a JSON list.
The API server does not apply a namespaceSelector to cluster-scoped resources
other than namespaces: all entries that name them get every such request. They
therefore belong to one entry only, `cluster`, which fails open.
*/}}
{{- define "emrguard.rulesByNamespace" -}}
{{- $rules := list -}}
{{- range . -}}
{{- $scope := default "*" .scope -}}
{{- $namespaces := list -}}
{{- $others := list -}}
{{- range $resource := .resources -}}
{{- if regexMatch "^namespaces(/.*)?$" $resource -}}
{{- $namespaces = append $namespaces $resource -}}
{{- else -}}
{{- $others = append $others $resource -}}
{{- end -}}
{{- end -}}
{{- if and $others (ne $scope "Cluster") -}}
{{- $rules = append $rules (merge (dict "resources" $others "scope" "Namespaced") .) -}}
{{- end -}}
{{- if and $namespaces (ne $scope "Namespaced") -}}
{{- $rules = append $rules (merge (dict "resources" $namespaces "scope" "Cluster") .) -}}
{{- end -}}
{{- end -}}
{{- toJson $rules -}}
{{- end -}}

{{/*
Two entries: one for everything, and one for the subresources of which only changed
metadata matters. The conditions of the second let the status that kubelets write
pass without a call. Arguments: as below, and metadata (list of rules).
*/}}
{{- define "emrguard.webhookEntryPair" -}}
{{ include "emrguard.webhookEntry" . }}
{{- with .metadata }}
{{ include "emrguard.webhookEntry" (merge (dict "name" (printf "%s-metadata" $.name) "rules" . "matchConditions" (include "emrguard.policyData" $.root | fromJson).metadataConditions) $) }}
{{- end }}
{{- end -}}

{{/*
One entry. Arguments: root, name, path, failurePolicy, requirements (list),
rules (list), matchConditions (list, or none for those of an entry for everything).
*/}}
{{- define "emrguard.webhookEntry" -}}
{{- $root := .root -}}
{{- $excluded := dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" (include "emrguard.excludedNamespaces" $root | fromJsonArray) -}}
- name: {{ .name }}.emrguard.dev
  admissionReviewVersions: [v1]
  sideEffects: None
  matchPolicy: Equivalent
  failurePolicy: {{ .failurePolicy }}
  timeoutSeconds: {{ $root.Values.webhook.timeoutSeconds }}
  clientConfig:
    {{- with $root.Values.webhook.clientConfig.url }}
    url: {{ printf "%s%s" (trimSuffix "/" .) $.path | quote }}
    {{- else }}
    service:
      name: {{ include "emrguard.fullname" $root }}
      namespace: {{ $root.Release.Namespace }}
      port: 443
      path: {{ .path }}
    {{- end }}
    {{- /* Never an empty caBundle: it would overwrite what the process, or cert-manager, has written. */}}
    {{- with $root.Values.webhook.clientConfig.caBundle }}
    caBundle: {{ . }}
    {{- end }}
  namespaceSelector:
    matchExpressions:
      {{- toYaml (prepend .requirements $excluded) | nindent 6 }}
  matchConditions:
    {{- toYaml (.matchConditions | default (include "emrguard.policyData" $root | fromJson).deletionConditions) | nindent 4 }}
  rules:
    {{- toYaml .rules | nindent 4 }}
{{- end -}}

{{/*
What the entries of managed namespaces do while emrguard does not answer. A mode
that refuses nothing must not refuse everything then either.
*/}}
{{- define "emrguard.managedFailurePolicy" -}}
{{- .Values.webhook.failurePolicy | default (ternary "Ignore" "Fail" (has .Values.mode (list "warn" "audit"))) -}}
{{- end -}}

{{/* All entries. */}}
{{- define "emrguard.webhookEntries" -}}
{{- $rules := .Files.Get "files/webhook-rules.yaml" | fromYaml -}}
{{- $managed := include "emrguard.rulesByNamespace" $rules.managed | fromJsonArray -}}
{{- $managedMetadata := include "emrguard.rulesByNamespace" $rules.managedMetadata | fromJsonArray -}}
{{- $cluster := $rules.cluster -}}
{{- $clusterMetadata := $rules.clusterMetadata -}}
{{- if eq (toString .Values.emr.discover) "false" -}}
{{- /* Nothing there can turn out to be managed: fewer kinds are of interest. */ -}}
{{- $cluster = $rules.clusterWithoutDiscovery -}}
{{- $clusterMetadata = $rules.clusterWithoutDiscoveryMetadata -}}
{{- end -}}
{{- $failurePolicy := include "emrguard.managedFailurePolicy" . -}}
{{- $names := .Values.emr.namespaces -}}
{{- $selector := include "emrguard.selectorRequirements" (default (dict) .Values.emr.namespaceSelector) | fromJsonArray -}}
{{- $rest := list -}}
{{- with $names -}}
{{- $named := list (dict "key" "kubernetes.io/metadata.name" "operator" "In" "values" .) -}}
{{- $rest = list (dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" .) }}
{{ include "emrguard.webhookEntryPair" (dict "root" $ "name" "managed" "path" "/managed" "failurePolicy" $failurePolicy "requirements" $named "rules" $managed "metadata" $managedMetadata) }}
{{- end }}
{{- with $selector }}
{{ include "emrguard.webhookEntryPair" (dict "root" $ "name" "managed-label" "path" "/managed" "failurePolicy" $failurePolicy "requirements" (concat $rest .) "rules" $managed "metadata" $managedMetadata) }}
{{- end }}
{{- if not $selector }}
{{ include "emrguard.webhookEntryPair" (dict "root" . "name" "cluster" "path" "/cluster" "failurePolicy" "Ignore" "requirements" $rest "rules" $cluster "metadata" $clusterMetadata) }}
{{- end }}
{{- range $index, $requirement := $selector }}
{{- $negated := include "emrguard.negatedRequirement" $requirement | fromJson -}}
{{- $name := ternary "cluster" (printf "cluster-%d" (add1 $index)) (eq $index 0) -}}
{{- $clusterRules := $cluster -}}
{{- $clusterMetadataRules := $clusterMetadata -}}
{{- if gt $index 0 -}}
{{- $clusterRules = include "emrguard.rulesByNamespace" $cluster | fromJsonArray -}}
{{- $clusterMetadataRules = include "emrguard.rulesByNamespace" $clusterMetadata | fromJsonArray -}}
{{- end }}
{{ include "emrguard.webhookEntryPair" (dict "root" $ "name" $name "path" "/cluster" "failurePolicy" "Ignore" "requirements" (append $rest $negated) "rules" $clusterRules "metadata" $clusterMetadataRules) }}
{{- $rest = append $rest $requirement -}}
{{- end }}
{{- end -}}

{{/* The ValidatingWebhookConfiguration. Arguments: root, annotations (further ones). */}}
{{- define "emrguard.webhookConfiguration" -}}
{{- $annotations := merge .annotations .root.Values.webhook.annotations -}}
{{- with .root -}}
{{- if eq .Values.certificates.mode "cert-manager" -}}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/%s" .Release.Namespace (include "emrguard.fullname" .)) -}}
{{- end -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: {{ include "emrguard.fullname" . }}
  labels:
    {{- include "emrguard.labels" . | nindent 4 }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
webhooks:
{{- include "emrguard.webhookEntries" . }}
{{- end }}
{{- end -}}
