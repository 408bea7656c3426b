package admission

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	strictjson "sigs.k8s.io/json"

	"github.com/emrguard/emrguard/pkg/limit"
)

// split reads a review in pieces of n bytes.
func split(body []byte, n int) (*review, error) {
	s := newSplitter(int64(len(body)))
	for rest := body; len(rest) > 0; rest = rest[min(n, len(rest)):] {
		if err := s.feed(rest[:min(n, len(rest))]); err != nil {
			return nil, err
		}
	}
	return (&splitReader{splitter: s}).review()
}

// Whatever the decoder of the API machinery reads as a review, the splitter reads
// as the same one, in pieces of any size, or refuses to read at all.
func FuzzSplit(f *testing.F) {
	const head = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1",`
	for _, rest := range []string{
		`"object":{"a":"\u003c\u0026\u2028\u00e9\ud83d\ude00\u0001\u005c\u0022\\\"","b":[{},{"c":null}]},"oldObject":null,"dryRun":true}}`,
		`"operation":"DELETE","oldObject":[1,2,"}"],"options":{"object":{"x":1}}}}`,
		`"userInfo":{"username":"\u0061","object":{"a":1},"groups":["object",":","oldObject"]},"object" : {} }}`,
		`"object":"s","name":"n"},"request2":{"object":{}}}`,
		`"object":1.5}} {`,
		`"\u006fbject":{}}}`,
		`"object":{},"object":{"a":1}}}`,
	} {
		f.Add([]byte(head+rest), 3)
	}
	f.Add([]byte(`{"request":[{"object":{}}],"kind":"AdmissionReview"}`), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		got, err := split(body, 1+max(0, n)%64)
		var want admissionv1.AdmissionReview
		if werr := strictjson.UnmarshalCaseSensitivePreserveInts(body, &want); err != nil || werr != nil {
			return
		}
		for _, part := range []struct{ got, want *[]byte }{
			{&got.request.Object.Raw, &want.Request.Object.Raw}, {&got.request.OldObject.Raw, &want.Request.OldObject.Raw},
		} {
			if !sameJSON(t, *part.got, *part.want) {
				t.Fatalf("object %q, want %q", *part.got, *part.want)
			}
			*part.got, *part.want = nil, nil
		}
		options, wantOptions := got.request.Options.Raw, want.Request.Options.Raw
		if !sameJSON(t, options, wantOptions) {
			t.Fatalf("options %q, want %q", options, wantOptions)
		}
		got.request.Options.Raw, want.Request.Options.Raw = nil, nil
		if !reflect.DeepEqual(got.request, want.Request) {
			t.Fatalf("envelope %+v, want %+v", got.request, want.Request)
		}
	})
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	return json.Unmarshal(a, &x) == nil && reflect.DeepEqual(x, y)
}

func TestSplitKeepsWhatTheAPIServerWrites(t *testing.T) {
	t.Parallel()
	object := map[string]any{"s": "<a&b>\u2028\u00e9\x01\\\"\U0001f600", "list": []any{map[string]any{}, nil, 1.5, true}}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	in := admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{UID: "1"}}
	in.APIVersion, in.Kind = admissionv1.SchemeGroupVersion.String(), "AdmissionReview"
	in.Request.Object.Raw, in.Request.OldObject.Raw = raw, raw
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		got, err := split(body, n+1)
		if err != nil || !sameJSON(t, got.request.Object.Raw, raw) || !sameJSON(t, got.request.OldObject.Raw, raw) {
			t.Fatalf("in pieces of %d: %v", n+1, err)
		}
		if len(got.request.Object.Raw) >= len(raw) {
			t.Errorf("%d bytes, escaped they are %d", len(got.request.Object.Raw), len(raw))
		}
	}
}

// Each could be read in two ways.
func TestSplitRefusesWhatTheAPIServerNeverWrites(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"two objects":     `{"request":{"object":{},"object":{}}}`,
		"two requests":    `{"request":{"object":{}},"request":{}}`,
		"an escaped key":  `{"request":{"\u006fbject":{}}}`,
		"wrong brackets":  `{"request":{"object":[}}}`,
		"too many levels": `{"request":{"object":` + strings.Repeat("[", maxNesting),
		"a long envelope": `{"request":{"name":"` + strings.Repeat("a", limit.Envelope),
	} {
		if _, err := split([]byte(body), 4096); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
