package chart_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
)

// Combinations that the schema cannot refuse are refused at render time, by
// both versions of Helm, with what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, want string }{
		"url with self-managed certificates": {
			`{webhook: {clientConfig: {url: "https://127.0.0.1:9443"}}}`,
			`set certificates.mode to "secret" and webhook.clientConfig.caBundle`,
		},
		"url with cert-manager": {
			`{certificates: {mode: cert-manager}, webhook: {clientConfig: {url: "https://127.0.0.1:9443"}}}`,
			`set certificates.mode to "secret"`,
		},
		"url without TLS":    {`{webhook: {clientConfig: {url: "http://127.0.0.1"}}}`, `"http://127.0.0.1" is no base URL`},
		"url with query":     {`{webhook: {clientConfig: {url: "https://host/?a=b"}}}`, `is no base URL`},
		"url with user":      {`{webhook: {clientConfig: {url: "https://a@host"}}}`, `is no base URL`},
		"no replicas":        {`{replicaCount: 0}`, `replicaCount: 0 leaves nobody to answer`},
		"secret without CA":  {`{certificates: {mode: secret, secretName: a}}`, `webhook.clientConfig.caBundle: certificates.mode "secret" needs`},
		"secret unnamed":     {`{certificates: {mode: secret}}`, `certificates.secretName: certificates.mode "secret" needs`},
		"CA overwritten":     {`{webhook: {clientConfig: {caBundle: LS0t}}}`, `webhook.clientConfig.caBundle is filled at run time`},
		"CA is no PEM":       {`{certificates: {mode: secret, secretName: a}, webhook: {clientConfig: {caBundle: LS0t}}}`, `no base64 of a PEM certificate`},
		"CA is no base64":    {`{certificates: {mode: secret, secretName: a}, webhook: {clientConfig: {caBundle: "-----BEGIN CERTIFICATE-----"}}}`, `no base64 of a PEM certificate`},
		"issuer unused":      {`{certificates: {issuerRef: {name: a}}}`, `certificates.issuerRef is for certificates.mode "cert-manager"`},
		"own namespace":      {`{emr: {namespaces: [emr-jobs, emrguard-system]}}`, `emr.namespaces[1]: "emrguard-system" is the release namespace`},
		"kube-system":        {`{emr: {namespaces: [kube-system]}}`, `emr.namespaces[0]: kube-system is always left out`},
		"managed, excluded":  {`{emr: {namespaces: [a]}, webhook: {excludedNamespaces: [a]}}`, `emr.namespaces[0]: "a" is also in webhook.excludedNamespaces`},
		"namespace pattern":  {`{emr: {namespaces: ["emr-*"]}}`, `use emr.namespaceSelector`},
		"excluded pattern":   {`{webhook: {excludedNamespaces: ["emr-*"]}}`, `webhook.excludedNamespaces[0]: "emr-*" is no name of a namespace`},
		"In without values":  {`{emr: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}}`, `matchExpressions[0]: operator In needs values`},
		"Exists with values": {`{emr: {namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}}`, `operator Exists takes no values`},
		"unknown operator":   {`{emr: {namespaceSelector: {matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}}}`, `operator "Gt" is unknown: use In, NotIn, Exists or DoesNotExist`},
		"a date, no time":    {`{exemptions: [{rule: pod-exec, reason: b, expires: "2027-01-31"}]}`, `exemptions[0].expires: "2027-01-31" is no RFC 3339 time: write it like`},
		"no time zone":       {`{exemptions: [{rule: pod-exec, reason: b, expires: "2027-01-31T00:00:00"}]}`, `is no RFC 3339 time`},
		"no such day":        {`{exemptions: [{rule: pod-exec, reason: b, expires: "2027-02-30T00:00:00Z"}]}`, `is no RFC 3339 time`},
		"words":              {`{exemptions: [{rule: pod-exec, reason: b, expires: "next year"}]}`, `is no RFC 3339 time`},
		"empty reason":       {`{exemptions: [{rule: pod-exec, reason: " "}]}`, `exemptions[0].reason: say why`},
		"a policy's date":    {`{exemptions: [{rule: mutating-webhook, reason: b, expires: "2027-01-31T00:00:00Z"}]}`, `exemptions[0].expires: the ValidatingAdmissionPolicy that enforces mutating-webhook has no clock`},
		"allowed to nobody":  {`{rules: {mutating-webhook: {params: {allowed: [{name: a}]}}}}`, `rules.mutating-webhook.params.allowed[0]: write {name: pattern, users: [patterns]}`},
		"killed early":       {`{shutdownDelaySeconds: 40}`, `terminationGracePeriodSeconds (40) must be larger than shutdownDelaySeconds (40)`},
		"same ports":         {`{webhook: {port: 8081}}`, `must differ`},
		"alerts, no metrics": {`{metrics: {enabled: false}, prometheusRule: {enabled: true}}`, `prometheusRule.enabled needs metrics.enabled`},
		"chart's own label":  {`{commonLabels: {app.kubernetes.io/name: a}}`, `commonLabels: "app.kubernetes.io/name" is set by the chart`},
		"label twice":        {`{commonLabels: {a: b}, podLabels: {a: c}}`, `podLabels: "a" is in commonLabels already`},
		"no account":         {`{serviceAccount: {create: false}}`, `serviceAccount.name: name the ServiceAccount to use`},
		"no quantity":        {`{resources: {limits: {memory: 1 GB}}}`, `resources.limits.memory: "1 GB" is no quantity of memory`},
		"client CA twice":    {`{webhook: {clientCA: {configMap: a, secret: b}}}`, `give a configMap or a secret, not both`},
		"names without CA":   {`{webhook: {clientCA: {names: [a]}}}`, `webhook.clientCA.names: without a configMap or secret`},
		"tiny quantity":      {`{resources: {limits: {memory: "256"}}}`, `is less than 1Mi`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := writeValues(t, test.values)
			for _, helm := range helms {
				_, err := templateFolder(t, helm, chart, "--values", file)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: want a refusal with %q, got %v", helm, test.want, err)
				}
			}
		})
	}
}

// All problems are told at once.
func TestRefusalsAreCollected(t *testing.T) {
	t.Parallel()
	_, err := templateFolder(t, "helm3", chart, "--values", writeValues(t, `{replicaCount: 0, shutdownDelaySeconds: 60, emr: {namespaces: [kube-system]}}`))
	for _, want := range []string{"replicaCount: 0", "shutdownDelaySeconds (60)", "emr.namespaces[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in the refusal, got %v", want, err)
		}
	}
}

// What an exemption that has expired was for is no error: the values of
// yesterday must install today.
func TestExpiredExemptionInstalls(t *testing.T) {
	t.Parallel()
	for _, expires := range []string{`"2020-01-31T00:00:00Z"`, `2020-01-31T00:00:00.5+09:00`} {
		if _, err := templateFolder(t, "helm3", chart, "--values", writeValues(t, `{exemptions: [{rule: pod-exec, reason: b, expires: `+expires+`}]}`)); err != nil {
			t.Errorf("%s: %v", expires, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, want string }{
		"unknown key":            {`{replicas: 2}`, `replicas`},
		"unknown key in emr":     {`{emr: {namespace: [a]}}`, `namespace`},
		"unknown key of rule":    {`{rules: {role-arn-override: {parameters: {}}}}`, `parameters`},
		"unknown key of webhook": {`{webhook: {failPolicy: Ignore}}`, `failPolicy`},
		"unknown failure policy": {`{webhook: {failurePolicy: Open}}`, `failurePolicy`},
		"no rule id":             {`{rules: {Role_ARN: {mode: deny}}}`, `Role_ARN`},
		"unknown rule":           {`{rules: {role-arn-overide: {mode: deny}}}`, `role-arn-overide`},
		"unknown parameter":      {`{rules: {role-arn-override: {params: {allowedRole: ["*"]}}}}`, `allowedRole`},
		"no parameters at all":   {`{rules: {pod-exec: {params: {a: 1}}}}`, `/rules/pod-exec/params`},
		"number for a list":      {`{rules: {role-arn-override: {params: {allowedRoles: 1}}}}`, `allowedRoles`},
		"text for a number":      {`{rules: {image-release: {params: {maxAge: 180d}}}}`, `maxAge`},
		"number out of range":    {`{rules: {karpenter-instance-metadata: {params: {hopLimit: 65}}}}`, `hopLimit`},
		"half a number":          {`{rules: {karpenter-instance-metadata: {params: {hopLimit: 1.5}}}}`, `hopLimit`},
		"empty pattern":          {`{rules: {role-arn-override: {params: {allowedRoles: [""]}}}}`, `allowedRoles`},
		"no ARN":                 {`{rules: {execution-role-isolation: {params: {groups: [{name: a, roles: [JobExecutionRole]}]}}}}`, `roles`},
		"group without roles":    {`{rules: {execution-role-isolation: {params: {groups: [{name: a, roles: []}]}}}}`, `roles`},
		"key in a list":          {`{rules: {execution-role-isolation: {params: {groups: [{names: a}]}}}}`, `names`},
		"no registry":            {`{rules: {image-registry: {params: {registries: ["https://example.com"]}}}}`, `registries`},
		"no release":             {`{rules: {image-release: {params: {minimum: [7.9.0]}}}}`, `minimum`},
		"onError off":            {`{rules: {pod-exec: {onError: "off"}}}`, `onError`},
		"override of no rule":    {`{overrides: [{namespaces: [a], rules: [pod-exe], mode: warn}]}`, `overrides`},
		"override to nothing":    {`{overrides: [{namespaces: [""], mode: warn}]}`, `namespaces`},
		"exemption of no rule":   {`{exemptions: [{rule: pod-exe, reason: b}]}`, `exemptions`},
		"unknown mode":           {`{mode: enforce}`, `mode`},
		"deny everywhere":        {`{mode: deny}`, `mode`},
		"mode of a rule":         {`{rules: {role-arn-override: {mode: true}}}`, `mode`},
		"account as a number":    {`{emr: {account: 123456789012}}`, `account`},
		"short account":          {`{emr: {account: "1234"}}`, `account`},
		"exemption, no reason":   {`{exemptions: [{rule: pod-exec}]}`, `reason`},
		"exemption, no rule":     {`{exemptions: [{reason: a}]}`, `rule`},
		"override of nothing":    {`{overrides: [{mode: warn}]}`, `namespaces`},
		"long timeout":           {`{webhook: {timeoutSeconds: 31}}`, `timeoutSeconds`},
		"unknown provider":       {`{credentialProviders: [kiam]}`, `credentialProviders`},
		"string for a list":      {`{emr: {namespaces: emr-jobs}}`, `namespaces`},
		"namespace twice":        {`{emr: {namespaces: [a, a]}}`, `namespaces`},
		"role users of nobody":   {`{emr: {roleUsers: [{roles: [a]}]}}`, `roleUsers`},
		"issuer without name":    {`{certificates: {mode: cert-manager, issuerRef: {kind: Issuer}}}`, `issuerRef`},
		"audit without unit":     {`{audit: {interval: "60"}}`, `interval`},
		"audit all the time":     {`{audit: {interval: 0s}}`, `interval`},
		"audit without requests": {`{audit: {qps: 0}}`, `qps`},
		"tag as digest":          {`{image: {digest: latest}}`, `digest`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := writeValues(t, test.values)
			for _, helm := range helms {
				_, err := templateFolder(t, helm, chart, "--values", file)
				if err == nil || !strings.Contains(err.Error(), "don't meet the specifications of the schema") || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: want a refusal by the schema that names %s, got %v", helm, test.want, err)
				}
			}
		})
	}
}

// free are the objects of the schema whose shape is not the chart's.
var free = []string{
	"/global", "/resources", "/affinity", "/topologySpreadConstraints/[]", "/tolerations/[]",
	"/extraEnv/[]", "/networkPolicy/metricsFrom/[]", "/networkPolicy/webhookFrom/[]",
}

// Wherever the shape is the chart's, the schema allows no other key, and every
// property is described.
func TestSchemaIsStrict(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(chart + "/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, path := range free {
		left[path] = true
	}
	var walk func(path string, node map[string]any)
	walk = func(path string, node map[string]any) {
		if node["type"] == "object" {
			if _, closed := node["additionalProperties"]; !closed {
				if !left[path] {
					t.Errorf("%s allows any key", path)
				}
				delete(left, path)
			}
		}
		properties, _ := node["properties"].(map[string]any)
		for name, child := range properties {
			if child.(map[string]any)["description"] == nil && !left[path] && path != "/extraEnv/[]" && name != "name" {
				t.Errorf("%s/%s has no description", path, name)
			}
			walk(path+"/"+name, child.(map[string]any))
		}
		if items, ok := node["items"].(map[string]any); ok {
			walk(path+"/[]", items)
		}
		if others, ok := node["additionalProperties"].(map[string]any); ok {
			walk(path+"/*", others)
		}
	}
	walk("", schema)
	for path := range left {
		t.Errorf("%s: the test lists an object that is not free", path)
	}
}

// Every value carries a comment for helm-docs.
func TestValuesAreDocumented(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(chart + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, node *yamlv3.Node)
	walk = func(path string, node *yamlv3.Node) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			switch {
			case strings.Contains(key.HeadComment, "# -- "):
			case value.Kind == yamlv3.MappingNode && len(value.Content) > 0:
				walk(path+key.Value+".", value)
			default:
				t.Errorf("%s%s has no comment that begins with `# --`", path, key.Value)
			}
		}
	}
	walk("", document.Content[0])
}
