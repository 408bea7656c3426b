{{/*
The ValidatingAdmissionPolicies for what the API server never sends to a webhook.
Their parameters are rendered from the same values as the configuration file, and
what they share with the rules comes from files/policy-data.yaml, which the rules
write. Every helper that answers an expression of CEL answers it in parentheses or
as a call, so that it can be negated.
*/}}

{{- define "emrguard.policyData" -}}
{{- .Files.Get "files/policy-data.yaml" | fromYaml | toJson -}}
{{- end -}}

{{/*
A list of patterns of the configuration as one regular expression of RE2, "" for an
empty list: `*` stands for any characters, in a pattern that begins with arn: for
any but `:` and `/`.
*/}}
{{- define "emrguard.patternExpression" -}}
{{- $alternatives := list -}}
{{- range . -}}
{{- $any := ternary "[^:/]*" ".*" (hasPrefix "arn:" .) -}}
{{- $alternatives = append $alternatives (regexQuoteMeta . | replace "\\*" $any) -}}
{{- end -}}
{{- with $alternatives -}}
{{- printf "^(?s:%s)$" (join "|" .) -}}
{{- end -}}
{{- end -}}

{{/* Whether an expression of CEL matches patterns. Arguments: of, patterns. */}}
{{- define "emrguard.matches" -}}
{{- $expression := include "emrguard.patternExpression" .patterns -}}
{{- if $expression -}}
{{- printf "%s.matches(%s)" .of (toJson $expression) -}}
{{- else -}}
false
{{- end -}}
{{- end -}}

{{/* Whether the requester is in one of the groups. */}}
{{- define "emrguard.inGroups" -}}
{{- printf "request.userInfo.?groups.orValue([]).exists(g, g in %s)" (toJson .) -}}
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

{{/* Names of a mode's validationActions, as JSON. */}}
{{- define "emrguard.validationActions" -}}
{{- toJson (get (dict "deny" (list "Deny" "Audit") "warn" (list "Warn" "Audit") "audit" (list "Audit")) .) -}}
{{- end -}}

{{/*
The conditions under which a policy is asked at all: the requester is none of those
who may. Arguments: root, rule, resource (of the verb bypass), breakGlass (whether
the policy is the one for members of the break-glass groups), further (conditions).
*/}}
{{- define "emrguard.policyConditions" -}}
{{- $root := .root -}}
{{- $data := include "emrguard.policyData" $root | fromJson -}}
{{- $administrators := default dict $root.Values.administrators -}}
{{- $groups := $data.administratorGroups -}}
{{- if not (kindIs "invalid" $administrators.groups) -}}
{{- $groups = $administrators.groups -}}
{{- end -}}
{{- $breakGlassGroups := include "emrguard.breakGlassGroups" $root | fromJsonArray -}}
{{- $operators := default (list) (default dict $root.Values.emr.principals).operators -}}
- name: deletes-for-others
  expression: {{ printf "!(request.operation == 'DELETE' && request.userInfo.username in %s)" (toJson $data.deleters) | quote }}
- name: administrator
  expression: |-
    !(({{ include "emrguard.matches" (dict "of" "request.userInfo.username" "patterns" $administrators.users) }} || {{ include "emrguard.inGroups" $groups }}) &&
      (!request.userInfo.username.matches("^system:serviceaccount:[^:]*:(emr-containers-sa-|emr-container-sa-)") || request.userInfo.username in {{ toJson $operators }}))
{{- if .breakGlass }}
- name: break-glass
  expression: {{ include "emrguard.inGroups" $breakGlassGroups | quote }}
{{- else if and $breakGlassGroups .tempered }}
- name: break-glass
  expression: {{ printf "!%s" (include "emrguard.inGroups" $breakGlassGroups) | quote }}
{{- end }}
{{- with include "emrguard.policyExemptions" (dict "root" $root "rule" .rule) }}
- name: exempted
  expression: |-
    !({{ . }})
{{- end }}
{{- range $name, $expression := .further }}
- name: {{ $name }}
  expression: |-
    {{ $expression }}
{{- end }}
# Whoever may do everything may this, too.
- name: bypass
  expression: {{ printf "!authorizer.group('emrguard.dev').resource('%s').name(%s).check('bypass').allowed()" .resource (include "emrguard.policyObjectName" .) | quote }}
{{- end -}}

{{- define "emrguard.breakGlassGroups" -}}
{{- $groups := (include "emrguard.policyData" . | fromJson).breakGlassGroups -}}
{{- $breakGlass := default dict .Values.breakGlass -}}
{{- if not (kindIs "invalid" $breakGlass.groups) -}}
{{- $groups = $breakGlass.groups -}}
{{- end -}}
{{- toJson $groups -}}
{{- end -}}

{{/* The name of the object, which an object being created may not have yet in the request. */}}
{{- define "emrguard.policyObjectName" -}}
(request.operation == 'DELETE' ? oldObject : object).metadata.name
{{- end -}}

{{/*
The exemptions of a rule as one expression, "" when there are none. Those that
name a namespace or a subject fit no object without a namespace; those that expire
are refused by validate.yaml, because a policy has no clock. Arguments: root, rule.
*/}}
{{- define "emrguard.policyExemptions" -}}
{{- $rule := .rule -}}
{{- $alternatives := list -}}
{{- range .root.Values.exemptions -}}
{{- if and (eq .rule $rule) (not .expires) (not .subject) (not (trimAll "*" (default "" .namespace))) -}}
{{- $parts := list "true" -}}
{{- with .object -}}
{{- $parts = append $parts (include "emrguard.matches" (dict "of" (include "emrguard.policyObjectName" .) "patterns" (list .))) -}}
{{- end -}}
{{- with .user -}}
{{- $parts = append $parts (include "emrguard.matches" (dict "of" "request.userInfo.username" "patterns" (list .))) -}}
{{- end -}}
{{- $alternatives = append $alternatives (printf "(%s)" (join " && " $parts)) -}}
{{- end -}}
{{- end -}}
{{- join " || " $alternatives -}}
{{- end -}}

{{/*
Whether entry `of` can change what EMR runs, by its rules in the field `field`; with
`everywhere`, whether it can change what no namespaceSelector leaves out. Arguments:
root, of, field, everywhere.
*/}}
{{- define "emrguard.touches" -}}
{{- $data := include "emrguard.policyData" .root | fromJson -}}
{{- $reaches := list -}}
{{- range $data.reaches -}}
{{- if eq (default false .everywhere) (default false $.everywhere) -}}
{{- $prefixes := list -}}
{{- range .prefixes -}}
{{- $prefixes = append $prefixes (printf " || x.startsWith(%s)" (toJson .)) -}}
{{- end -}}
{{- $versions := "" -}}
{{- with .versions -}}
{{- $versions = printf "r.apiVersions.exists(x, x in %s) && " (toJson .) -}}
{{- end -}}
{{- $scope := ternary "Namespaced" "Cluster" (default false .cluster) -}}
{{- $reaches = append $reaches (printf "(!has(r.scope) || r.scope != %s) && r.apiGroups.exists(x, x in %s) && %sr.resources.exists(x, x in %s%s)" (toJson $scope) (toJson .groups) $versions (toJson .resources) (join "" $prefixes)) -}}
{{- end -}}
{{- end -}}
{{ .of }}.{{ .field }}.exists(r, r.operations.exists(x, x in {{ toJson $data.operations }}) && (
    {{- range $index, $reach := $reaches }}
    {{ if $index }}|| {{ end }}{{ $reach }}
    {{- end }}
  ))
{{- end -}}

{{/*
Whether the namespaceSelector of entry `of` leaves a namespace in, as far as its
name goes. Arguments: of, name (an expression).
*/}}
{{- define "emrguard.selectsName" -}}
{{- $selector := printf "%s.namespaceSelector" .of -}}
(!has({{ $selector }}) || (
  (!has({{ $selector }}.matchLabels) || !("kubernetes.io/metadata.name" in {{ $selector }}.matchLabels) || {{ $selector }}.matchLabels["kubernetes.io/metadata.name"] == {{ .name }}) &&
  (!has({{ $selector }}.matchExpressions) || {{ $selector }}.matchExpressions.all(e, e.key != "kubernetes.io/metadata.name" || (
    e.operator == "In" ? {{ .name }} in e.values : (e.operator == "NotIn" ? !({{ .name }} in e.values) : e.operator == "Exists")
  )))
))
{{- end -}}

{{/* Whether it leaves in no others than those that it names. Arguments: of, operators. */}}
{{- define "emrguard.namesNamespaces" -}}
{{- $selector := printf "%s.namespaceSelector" .of -}}
(has({{ $selector }}) && (
  {{ if has "In" .operators }}(has({{ $selector }}.matchLabels) && "kubernetes.io/metadata.name" in {{ $selector }}.matchLabels) ||
  {{ end }}(has({{ $selector }}.matchExpressions) && {{ $selector }}.matchExpressions.exists(e, e.key == "kubernetes.io/metadata.name" && e.operator in {{ toJson .operators }}))
))
{{- end -}}

{{/*
Whether entry `of` may reach a managed namespace. Arguments: root, of, by: "name"
for those that the values name, and for what only a list of namespaces can leave
out; "label" for the namespace that is the policy's parameter; "static" for a policy
without parameters, which knows no labels.
*/}}
{{- define "emrguard.mayReach" -}}
{{- $root := .root -}}
{{- $of := .of -}}
{{- $selector := include "emrguard.selectorRequirements" (default (dict) .root.Values.emr.namespaceSelector) | fromJsonArray -}}
{{- if eq .by "label" -}}
{{ include "emrguard.selectsName" (dict "of" .of "name" "params.metadata.name") }}
{{- else -}}
{{- if $selector -}}
{{- $operators := ternary (list "DoesNotExist") (list "In" "DoesNotExist") (eq .by "static") -}}
!{{ include "emrguard.namesNamespaces" (dict "of" .of "operators" $operators) }} ||
{{ end -}}
{{ toJson (default (list) $root.Values.emr.namespaces) }}.exists(n, {{ include "emrguard.selectsName" (dict "of" $of "name" "n") }})
{{- end -}}
{{- end -}}

{{/* The parameter `allowed` of mutating-webhook, as JSON. */}}
{{- define "emrguard.allowedWebhooks" -}}
{{- $allowed := (include "emrguard.policyData" . | fromJson).allowedWebhooks -}}
{{- $params := default dict (default dict (get .Values.rules "mutating-webhook")).params -}}
{{- if not (kindIs "invalid" $params.allowed) -}}
{{- $allowed = concat $params.allowed $allowed -}}
{{- end -}}
{{- toJson $allowed -}}
{{- end -}}

{{/*
The spec of a policy for MutatingWebhookConfigurations. Arguments: root, by (as in
mayReach), breakGlass, tempered.
*/}}
{{- define "emrguard.mutatingWebhookSpec" -}}
{{- $root := .root -}}
{{- $by := .by -}}
{{- $name := include "emrguard.policyObjectName" . -}}
{{- $allowed := include "emrguard.allowedWebhooks" $root | fromJsonArray -}}
{{- $may := list "false" -}}
{{- $owner := "\"\"" -}}
{{- range (reverse $allowed) -}}
{{- $named := include "emrguard.matches" (dict "of" $name "patterns" (list .name)) -}}
{{- $may = append $may (printf "%s && %s" $named (include "emrguard.matches" (dict "of" "request.userInfo.username" "patterns" .users))) -}}
{{- if trimAll "*" .name -}}
{{- $owner = printf "%s ? %s : (%s)" $named (toJson (join ", " .users)) $owner -}}
{{- end -}}
{{- end -}}
failurePolicy: Fail
{{- if eq $by "label" }}
# Each namespace that emr.namespaceSelector selects is a parameter.
paramKind:
  apiVersion: v1
  kind: Namespace
{{- end }}
matchConstraints:
  matchPolicy: Equivalent
  resourceRules:
  - apiGroups: [admissionregistration.k8s.io]
    apiVersions: [v1]
    resources: [mutatingwebhookconfigurations]
    operations: [CREATE, UPDATE, DELETE]
    scope: Cluster
matchConditions:
{{ include "emrguard.policyConditions" (dict "root" $root "rule" "mutating-webhook" "resource" "mutatingwebhookconfigurations" "breakGlass" .breakGlass "tempered" .tempered "further" (dict "allowed" (printf "!(%s)" (join " || " $may)))) }}
variables:
- name: owner
  expression: |-
    {{ $owner }}
# What is changed besides caBundles, labels and annotations.
- name: changed
  expression: |-
    request.operation != "UPDATE" ? true :
    object.?webhooks.orValue([]).size() != oldObject.?webhooks.orValue([]).size() ||
    !object.?webhooks.orValue([]).all(w, oldObject.?webhooks.orValue([]).exists(o, o.name == w.name &&
      {{- range $field := list "rules" "failurePolicy" "matchPolicy" "namespaceSelector" "objectSelector" "sideEffects" "timeoutSeconds" "admissionReviewVersions" "reinvocationPolicy" "matchConditions" }}
      o.?{{ $field }} == w.?{{ $field }} &&
      {{- end }}
      o.clientConfig.?url == w.clientConfig.?url && o.clientConfig.?service == w.clientConfig.?service))
# Whoever deletes an owner, or names one that does not exist, has the garbage collector delete the object.
- name: gainsOwner
  expression: |-
    request.operation == "UPDATE" && object.metadata.?ownerReferences.orValue([]).exists(w, !(w in oldObject.metadata.?ownerReferences.orValue([])))
- name: reaching
  expression: |-
    request.operation == "DELETE" || !variables.changed ? [] : object.?webhooks.orValue([]).filter(w, has(w.rules) && (
      {{- if ne $by "label" }}
      {{- include "emrguard.touches" (dict "root" $root "of" "w" "field" "rules" "everywhere" true) | nindent 6 }} ||
      {{- end }}
      {{- include "emrguard.touches" (dict "root" $root "of" "w" "field" "rules") | nindent 6 }} && (
      {{- include "emrguard.mayReach" (dict "root" $root "of" "w" "by" $by) | nindent 6 }}
    ))).map(w, w.name)
validations:
{{- if ne $by "label" }}
- expression: variables.owner == "" || !(variables.changed || variables.gainsOwner)
  reason: Forbidden
  message: "[mutating-webhook] this MutatingWebhookConfiguration is reserved for others"
  messageExpression: |-
    "[mutating-webhook] metadata.name: \"" + request.userInfo.username + "\" may not " + {{ include "emrguard.policyAct" . }} + " the MutatingWebhookConfiguration \"" + {{ $name }} + "\", which is reserved for " + variables.owner + ": pods may depend on it for their credentials; leave it to those and to administrators"
{{- end }}
- expression: variables.owner != "" || variables.reaching.size() == 0
  reason: Forbidden
  message: "[mutating-webhook] mutating webhooks must not reach managed namespaces"
  messageExpression: |-
    "[mutating-webhook] webhooks: \"" + request.userInfo.username + "\" may not " + {{ include "emrguard.policyAct" . }} + " mutating webhooks that reach pods, service accounts, ConfigMaps or workloads of managed namespaces, their labels, or reviews of access and tokens (" + variables.reaching.join(", ") + "): they could give EMR's pods another service account, and so another role, or somebody more rights. Only kubernetes.io/metadata.name in a namespaceSelector proves that a managed namespace is left out; other labels, objectSelector and matchConditions do not; limit it by a namespaceSelector with kubernetes.io/metadata.name In the namespaces that it is for, or let an administrator install it"
{{- end -}}

{{/*
The spec of the policy for the CustomResourceDefinitions of what emrguard judges: who
writes their schema, with its defaults, or their conversion decides what an operator
reads of an object that was judged. A policy and no webhook: it needs no process, and it
is never asked about other definitions. Arguments: root, breakGlass, tempered.
*/}}
{{- define "emrguard.definitionsSpec" -}}
{{- $root := .root -}}
{{- $may := list "false" -}}
{{- range (include "emrguard.allowedWebhooks" $root | fromJsonArray) -}}
{{- if not (trimAll "*" .name) -}}
{{- $may = append $may (include "emrguard.matches" (dict "of" "request.userInfo.username" "patterns" .users)) -}}
{{- end -}}
{{- end -}}
failurePolicy: Fail
matchConstraints:
  matchPolicy: Equivalent
  resourceRules:
  - apiGroups: [apiextensions.k8s.io]
    apiVersions: [v1]
    resources: [customresourcedefinitions]
    operations: [CREATE, UPDATE]
    scope: Cluster
matchConditions:
- name: judged
  expression: {{ printf "object.metadata.name in %s" (toJson (include "emrguard.policyData" $root | fromJson).definitions) | quote }}
{{ include "emrguard.policyConditions" (dict "root" $root "rule" "mutating-webhook" "resource" "customresourcedefinitions" "breakGlass" .breakGlass "tempered" .tempered "further" (dict "allowed" (printf "!(%s)" (join " || " $may)))) }}
validations:
# cert-manager and operators write the caBundle of a conversion webhook at run time.
- expression: |-
    request.operation == "CREATE" ? object.spec.?conversion.?strategy.orValue("None") == "None" :
    object.spec.versions == oldObject.spec.versions
    {{- range $field := list "?preserveUnknownFields" "?conversion.?strategy" "?conversion.?webhook.?conversionReviewVersions" "?conversion.?webhook.?clientConfig.?url" "?conversion.?webhook.?clientConfig.?service" }} &&
    object.spec.{{ $field }} == oldObject.spec.{{ $field }}
    {{- end }}
  reason: Forbidden
  message: "[mutating-webhook] the definition of these custom resources is not to be changed"
  messageExpression: |-
    "[mutating-webhook] spec: \"" + request.userInfo.username + "\" may not " + {{ include "emrguard.policyAct" . }} + " how " + object.metadata.name + " are defaulted or converted: their operator would read something else than emrguard judged. The caBundle of a conversion webhook is free; let an administrator install the definition"
{{- end -}}

{{- define "emrguard.policyAct" -}}
(request.operation == "CREATE" ? "create" : (request.operation == "DELETE" ? "delete" : "change"))
{{- end -}}

{{/*
The spec of a static policy for MutatingAdmissionPolicies or their bindings.
Arguments: root, kind, resource, field (of the spec), breakGlass, tempered.
*/}}
{{- define "emrguard.mutatingPolicySpec" -}}
{{- $match := printf "object.spec.%s" .field -}}
failurePolicy: Fail
matchConstraints:
  matchPolicy: Equivalent
  resourceRules:
  - apiGroups: [admissionregistration.k8s.io]
    apiVersions: ["*"]
    resources: [{{ .resource }}]
    operations: [CREATE, UPDATE]
    scope: Cluster
matchConditions:
{{ include "emrguard.policyConditions" (dict "root" .root "rule" "mutating-admission-policy" "resource" .resource "breakGlass" .breakGlass "tempered" .tempered) }}
- name: changed
  expression: {{ "request.operation != 'UPDATE' || object.spec != oldObject.spec" | quote }}
validations:
- expression: |-
    !(!has({{ $match }}) || (has({{ $match }}.resourceRules) &&
      {{- include "emrguard.touches" (dict "root" .root "of" $match "field" "resourceRules" "everywhere" true) | nindent 6 }}) || (
      (!has({{ $match }}.resourceRules) ? {{ ternary "true" "false" (eq .field "matchResources") }} :
      {{- include "emrguard.touches" (dict "root" .root "of" $match "field" "resourceRules") | nindent 6 }}) && (
      {{- include "emrguard.mayReach" (dict "root" .root "of" $match "by" "static") | nindent 6 }}
    )))
  reason: Forbidden
  message: "[mutating-admission-policy] it must not reach managed namespaces"
  messageExpression: |-
    "[mutating-admission-policy] spec.{{ .field }}: \"" + request.userInfo.username + "\" may not " + {{ include "emrguard.policyAct" . }} + " a {{ .kind }} that reaches pods, service accounts, ConfigMaps or workloads of managed namespaces, their labels, or reviews of access and tokens: it could give EMR's pods another service account, and so another role, or somebody more rights. Only kubernetes.io/metadata.name in a namespaceSelector proves that a managed namespace is left out; other labels, objectSelector, excludeResourceRules and matchConditions do not; limit it by a namespaceSelector with kubernetes.io/metadata.name In the namespaces that it is for, or let an administrator install it"
{{- end -}}

{{/*
The spec of the policy that guards emrguard's own objects. Arguments: root, static
(whether the policies and bindings of the chart are guarded, too), breakGlass,
tempered.
*/}}
{{- define "emrguard.guardProtectionSpec" -}}
{{- $root := .root -}}
{{- $fullname := include "emrguard.fullname" $root -}}
{{- $params := default dict (default dict (get $root.Values.rules "guard-protection")).params -}}
{{- $writers := (include "emrguard.policyData" $root | fromJson).caBundleWriters -}}
{{- if not (kindIs "invalid" $params.caBundleWriters) -}}
{{- $writers = $params.caBundleWriters -}}
{{- end -}}
{{- $writers = append $writers (printf "system:serviceaccount:%s:%s" $root.Release.Namespace (include "emrguard.serviceAccountName" $root)) | uniq -}}
failurePolicy: Fail
matchConstraints:
  matchPolicy: Equivalent
  resourceRules:
  - apiGroups: [admissionregistration.k8s.io]
    apiVersions: ["*"]
    resources: {{ ternary (list "validatingwebhookconfigurations" "validatingadmissionpolicies" "validatingadmissionpolicybindings") (list "validatingwebhookconfigurations") .static | toJson }}
    operations: [UPDATE, DELETE]
    scope: Cluster
matchConditions:
{{- /* Not by resourceNames: the deletion of a whole collection has no name. */}}
{{- $name := include "emrguard.policyObjectName" . }}
{{- $own := printf "%s == %s" $name (toJson $fullname) }}
{{- if .static }}
{{- $own = printf "%s in (request.kind.kind == 'ValidatingWebhookConfiguration' ? %s : %s)" $name (toJson (list $fullname)) (include "emrguard.policyNames" $root) }}
{{- end }}
{{ include "emrguard.policyConditions" (dict "root" $root "rule" "guard-protection" "resource" "validatingwebhookconfigurations" "breakGlass" .breakGlass "tempered" .tempered "further" (dict "own" $own)) }}
validations:
# The CA of the certificate is written at run time; nothing else may change with it.
- expression: |-
    request.operation == "UPDATE" && request.kind.kind == "ValidatingWebhookConfiguration" &&
    {{ include "emrguard.matches" (dict "of" "request.userInfo.username" "patterns" $writers) }} &&
    object.metadata.?annotations == oldObject.metadata.?annotations &&
    !object.metadata.?ownerReferences.orValue([]).exists(w, !(w in oldObject.metadata.?ownerReferences.orValue([]))) &&
    object.?webhooks.orValue([]).size() == oldObject.?webhooks.orValue([]).size() &&
    object.?webhooks.orValue([]).all(w, oldObject.?webhooks.orValue([]).exists(o, o.name == w.name &&
      {{- range $field := list "rules" "failurePolicy" "matchPolicy" "namespaceSelector" "objectSelector" "sideEffects" "timeoutSeconds" "admissionReviewVersions" "matchConditions" }}
      o.?{{ $field }} == w.?{{ $field }} &&
      {{- end }}
      o.clientConfig.?url == w.clientConfig.?url && o.clientConfig.?service == w.clientConfig.?service))
  reason: Forbidden
  message: "[guard-protection] emrguard's own objects are not to be changed"
  messageExpression: |-
    "[guard-protection] metadata.name: \"" + request.userInfo.username + "\" may not " + {{ include "emrguard.policyAct" . }} + " \"" + {{ include "emrguard.policyObjectName" . }} + "\", by which the API server asks emrguard; let an administrator do it, or somebody with the verb bypass on validatingwebhookconfigurations of emrguard.dev"
{{- end -}}

{{/*
The policies that the chart installs, as JSON: name, rule, mode, by, breakGlass,
tempered. The action of a binding cannot depend on who asks, so what is refused has
a second policy for the break-glass groups, which warns.
*/}}
{{- define "emrguard.policies" -}}
{{- $root := . -}}
{{- $fullname := include "emrguard.fullname" . -}}
{{- $selector := include "emrguard.selectorRequirements" (default (dict) .Values.emr.namespaceSelector) | fromJsonArray -}}
{{- $policies := list -}}
{{- $breakGlass := include "emrguard.breakGlassGroups" . | fromJsonArray -}}
{{- $kinds := list (dict "suffix" "mutating-webhook" "rule" "mutating-webhook" "by" "name") -}}
{{- if $selector -}}
{{- $kinds = append $kinds (dict "suffix" "mutating-webhook-label" "rule" "mutating-webhook" "by" "label") -}}
{{- end -}}
{{- $kinds = append $kinds (dict "suffix" "custom-resources" "rule" "mutating-webhook" "by" "" "definitions" true) -}}
{{- $kinds = append $kinds (dict "suffix" "guard-protection" "rule" "guard-protection" "by" "") -}}
{{- range $kind := $kinds -}}
{{- $mode := include "emrguard.policyMode" (dict "root" $root "rule" $kind.rule) -}}
{{- if ne $mode "off" -}}
{{- $tempered := and (eq $mode "deny") (not (empty $breakGlass)) -}}
{{- $policies = append $policies (merge (dict "name" (printf "%s-%s" $fullname $kind.suffix) "mode" $mode "breakGlass" false "tempered" $tempered) $kind) -}}
{{- if $tempered -}}
{{- $policies = append $policies (merge (dict "name" (printf "%s-%s-break-glass" $fullname $kind.suffix) "mode" "warn" "breakGlass" true "tempered" false) $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson (ternary $policies (list) .Values.admissionPolicies.enabled) -}}
{{- end -}}

{{/* The names of all that the chart may install, as JSON. */}}
{{- define "emrguard.policyNames" -}}
{{- $names := list -}}
{{- range include "emrguard.policies" . | fromJsonArray -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}
