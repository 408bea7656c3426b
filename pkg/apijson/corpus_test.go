package apijson_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/apijson"
	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/apis/flink"
	"github.com/emrguard/emrguard/pkg/apis/gateway"
	"github.com/emrguard/emrguard/pkg/apis/karpenter"
	"github.com/emrguard/emrguard/pkg/apis/spark"
)

// corpus are the objects of all fixtures and of the demo, as JSON.
func corpus(tb testing.TB) [][]byte {
	tb.Helper()
	seen := map[string]bool{}
	var list [][]byte
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["kind"] != nil && v["apiVersion"] != nil {
				raw, err := json.Marshal(v)
				if err != nil {
					tb.Fatal(err)
				}
				if !seen[string(raw)] {
					seen[string(raw)] = true
					list = append(list, raw)
				}
			}
			for _, key := range []string{"object", "old", "given"} {
				collect(v[key])
			}
		case []any:
			for _, item := range v {
				collect(item)
			}
		}
	}
	err := filepath.WalkDir(filepath.Join("..", "..", "test"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || !strings.Contains(path, "fixtures") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var doc map[string]any
		if yaml.Unmarshal(text, &doc) == nil { // it is not a list, or several documents
			collect(doc)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(list) < 1000 {
		tb.Fatalf("only %d objects: where are the fixtures?", len(list))
	}
	return list
}

// custom are the types of the custom resources that rules read.
var custom = map[schema.GroupKind]reflect.Type{
	{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"}:          reflect.TypeFor[spark.Application](),
	{Group: "sparkoperator.k8s.io", Kind: "ScheduledSparkApplication"}: reflect.TypeFor[spark.ScheduledApplication](),
	{Group: "sparkoperator.k8s.io", Kind: "SparkConnect"}:              reflect.TypeFor[spark.Connect](),
	{Group: "spark.apache.org", Kind: "SparkApplication"}:              reflect.TypeFor[spark.ApacheApplication](),
	{Group: "spark.apache.org", Kind: "SparkCluster"}:                  reflect.TypeFor[spark.ApacheCluster](),
	{Group: "flink.apache.org", Kind: "FlinkDeployment"}:               reflect.TypeFor[flink.Deployment](),
	{Group: "flink.apache.org", Kind: "FlinkBlueGreenDeployment"}:      reflect.TypeFor[flink.BlueGreenDeployment](),
	{Group: "flink.apache.org", Kind: "FlinkSessionJob"}:               reflect.TypeFor[flink.SessionJob](),
	{Group: "emrcontainers.services.k8s.aws", Kind: "JobRun"}:          reflect.TypeFor[ack.JobRun](),
	{Group: "emrcontainers.services.k8s.aws", Kind: "VirtualCluster"}:  reflect.TypeFor[ack.VirtualCluster](),
	{Group: "iam.services.k8s.aws", Kind: "Role"}:                      reflect.TypeFor[ack.Role](),
	{Group: "iam.services.k8s.aws", Kind: "Policy"}:                    reflect.TypeFor[ack.Policy](),
	{Group: "eks.services.k8s.aws", Kind: "PodIdentityAssociation"}:    reflect.TypeFor[ack.PodIdentityAssociation](),
	{Group: "karpenter.k8s.aws", Kind: "EC2NodeClass"}:                 reflect.TypeFor[karpenter.EC2NodeClass](),
	{Group: "elbv2.k8s.aws", Kind: "IngressClassParams"}:               reflect.TypeFor[elbv2.IngressClassParams](),
	{Group: "eks.amazonaws.com", Kind: "IngressClassParams"}:           reflect.TypeFor[elbv2.IngressClassParams](),
	{Group: "gateway.k8s.aws", Kind: "LoadBalancerConfiguration"}:      reflect.TypeFor[elbv2.LoadBalancerConfiguration](),
	{Group: "gateway.networking.k8s.io", Kind: "Gateway"}:              reflect.TypeFor[gateway.Gateway](),
	{Group: "gateway.networking.k8s.io", Kind: "GatewayClass"}:         reflect.TypeFor[gateway.Class](),
}

// typeOf is the type of an object, or nil.
func typeOf(raw []byte) reflect.Type {
	var kind metav1.TypeMeta
	_ = json.Unmarshal(raw, &kind) // a mutation need not have one
	gvk := schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind)
	if t := scheme.Scheme.AllKnownTypes()[gvk]; t != nil {
		return t
	}
	return custom[gvk.GroupKind()]
}

// compare reads data by both decoders, and reports whether they can.
func compare(t *testing.T, data []byte, typ reflect.Type) bool {
	t.Helper()
	got, want := reflect.New(typ), reflect.New(typ)
	err := apijson.Unmarshal(slices.Clone(data), got.Interface())
	wantErr := kjson.UnmarshalCaseSensitivePreserveInts(slices.Clone(data), want.Interface())
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%s from %s\nerror %v\nwant  %v", typ, data, err, wantErr)
	}
	if !reflect.DeepEqual(got.Interface(), want.Interface()) {
		t.Fatalf("%s from %s\ngot  %+v\nwant %+v", typ, data, got, want)
	}
	return err == nil
}

// review is an AdmissionReview of an object.
func review(raw []byte) []byte {
	return []byte(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1","kind":{"group":"","version":"v1","kind":"Pod"},` +
		`"userInfo":{"username":"alice","groups":["a","b"],"extra":{"k":["v"]}},"operation":"UPDATE","object":` + string(raw) + `,"oldObject":` + string(raw) + `,"dryRun":false,"options":null}}`)
}

// Every object of the fixtures is read as by the API machinery, and without its help when
// it can be read at all.
func TestCorpusIsReadInOnePass(t *testing.T) {
	t.Parallel()
	known := 0
	for _, raw := range corpus(t) {
		types := []reflect.Type{reflect.TypeFor[metav1.PartialObjectMetadata](), reflect.TypeFor[admissionv1.AdmissionReview]()}
		if typ := typeOf(raw); typ != nil {
			types = append(types, typ)
			known++
		}
		for _, typ := range types {
			data := raw
			if typ == reflect.TypeFor[admissionv1.AdmissionReview]() {
				data = review(raw)
			}
			if readable := compare(t, data, typ); readable != apijson.InOnePass(data, reflect.New(typ).Interface()) {
				t.Errorf("%s is not read in one pass: %s", typ, data)
			}
		}
	}
	if known < 1000 {
		t.Errorf("only %d objects are of a type", known)
	}
}

// literals are what values are replaced by: of every type, and at the limits.
var literals = []string{
	`null`, `true`, `false`, `0`, `-0`, `00`, `1`, `-1`, `1.5`, `1e2`, `1E400`, `-`, `2147483647`, `2147483648`, `-2147483649`,
	`9223372036854775807`, `9223372036854775808`, `123456789012345678901`, `""`, `"x"`, `"1"`, `"500m"`, `"1Gi"`, `"1e3"`, `"1.5.5"`, `" 1"`, `"\u0031"`,
	`"2026-11-24T12:00:00Z"`, `"2026-11-24T12:00:00.5+02:00"`, `"2026-11-24"`, `"\ud83d\ude00"`, `"\ud800"`, `"\u00e9é"`, `"\x"`, `"\/\b\f\n\r\t\\\""`, "\"\xff\"", "\"\x01\"",
	`[]`, `[null]`, `[1]`, `["a","b"]`, `[{}]`, `[[]]`, `[,]`, `[1,]`, `{}`, `{"a":null}`, `{"a":"b"}`, `{"a":1,"a":2}`, `{"a":"1","b":{"c":[1]}}`, `{"a"}`, `{"a":1,}`, `{"cpu":"1","memory":1}`,
	`{"name":"x","value":"y"}`, `{"name":"x","name":"y"}`, `{"NAME":"x"}`, `{"n\u0061me":"x"}`, ` { "name" : "x" , "value" : null } `, `YQ==`, `"YQ=="`, ``,
}

// mutate changes JSON at one place: a value is another one, a key stands twice or in
// capitals or is unknown, bytes are missing, or others.
func mutate(r *rand.Rand, raw []byte) []byte {
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return raw
	}
	const marker = "\x00here\x00"
	replaced := false
	mark := func() any { replaced = true; return marker }
	var walk func(v any) any
	walk = func(v any) any { // to a random place
		switch v := v.(type) {
		case map[string]any:
			keys := slices.Sorted(mapKeys(v))
			if len(keys) == 0 || r.IntN(8) == 0 {
				return mark()
			}
			key := keys[r.IntN(len(keys))]
			switch r.IntN(24) {
			case 0:
				v[strings.ToUpper(key)] = v[key]
				delete(v, key)
			case 1:
				v["unknown"+key] = mark()
			default:
				v[key] = walk(v[key])
			}
			return v
		case []any:
			if len(v) == 0 || r.IntN(8) == 0 {
				return mark()
			}
			i := r.IntN(len(v))
			v[i] = walk(v[i])
			return v
		}
		return mark()
	}
	doc = walk(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		return raw
	}
	if replaced {
		quoted := strconv.Quote(marker)
		quoted = strings.ReplaceAll(quoted, `\x00`, `\u0000`)
		return []byte(strings.Replace(string(out), quoted, literals[r.IntN(len(literals))], 1))
	}
	return out
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// twice has one of the keys of a document stand there twice.
func twice(r *rand.Rand, raw []byte) []byte {
	var at []int
	for i := range raw {
		if raw[i] == '{' && i+1 < len(raw) && raw[i+1] == '"' {
			at = append(at, i+1)
		}
	}
	if len(at) == 0 {
		return raw
	}
	i := at[r.IntN(len(at))]
	key, _, _ := strings.Cut(string(raw[i+1:]), `"`)
	return slices.Concat(raw[:i], []byte(`"`+key+`":`+literals[r.IntN(len(literals))]+`,`), raw[i:])
}

// scratch changes single bytes.
func scratch(r *rand.Rand, raw []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	out := slices.Clone(raw)
	i := r.IntN(len(out))
	switch r.IntN(3) {
	case 0:
		return out[:i]
	case 1:
		return slices.Delete(out, i, i+1)
	}
	const others = "\x00 \t\n\"\\{}[]:,-0e.ntf\x7f\x80\xc3\xff"
	out[i] = others[r.IntN(len(others))]
	return out
}

// Whatever happens to the objects of the fixtures, both decoders say the same.
func TestMutatedCorpus(t *testing.T) {
	t.Parallel()
	const mutations = 30
	r := rand.New(rand.NewPCG(1, 2))
	onePass := 0
	for _, raw := range corpus(t) {
		typ := typeOf(raw)
		if typ == nil {
			typ = reflect.TypeFor[corev1.Pod]()
		}
		for n := range mutations {
			data := mutate(r, raw)
			switch n % 5 {
			case 0:
				data = twice(r, data)
			case 1:
				data = scratch(r, data)
			case 2:
				data, typ := review(data), reflect.TypeFor[admissionv1.AdmissionReview]()
				compare(t, data, typ)
			}
			compare(t, data, typ)
			if apijson.InOnePass(data, reflect.New(typ).Interface()) {
				onePass++
			}
		}
	}
	if onePass < 10_000 {
		t.Errorf("only %d of the mutations are read in one pass, so little was compared", onePass)
	}
}

// FuzzUnmarshal compares both decoders on whatever a fuzzer comes up with.
func FuzzUnmarshal(f *testing.F) {
	types := []reflect.Type{
		reflect.TypeFor[corev1.Pod](), reflect.TypeFor[admissionv1.AdmissionReview](), reflect.TypeFor[corev1.Service](), reflect.TypeFor[corev1.ConfigMap](),
		reflect.TypeFor[metav1.PartialObjectMetadata](), reflect.TypeFor[map[string]any](), reflect.TypeFor[odd](),
	}
	list := corpus(f)
	for i := 0; i < len(list); i += len(list) / 100 {
		f.Add(list[i], uint8(0))
		f.Add(review(list[i]), uint8(1))
	}
	for i, literal := range literals {
		f.Add([]byte(`{"metadata":`+literal+`}`), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, i uint8) { compare(t, data, types[int(i)%len(types)]) })
}
