package apijson_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/apijson"
)

// odd is a struct with all that types of the API have not, or seldom.
type odd struct {
	Embedded
	*Pointed   `json:",inline"`
	Named      Embedded `json:"named"`
	Untagged   string
	Dash       string              `json:"-,"` //nolint:staticcheck // the key is a dash
	Skipped    string              `json:"-"`
	Quoted     int                 `json:"quoted,string"`
	Any        any                 `json:"any"`
	Bytes      []byte              `json:"bytes"`
	Array      [2]int              `json:"array"`
	Float      float64             `json:"float"`
	Unsigned   uint8               `json:"unsigned"`
	Keys       map[int]string      `json:"keys"`
	Self       *odd                `json:"self"`
	Selves     []odd               `json:"selves"`
	Pointers   **string            `json:"pointers"`
	Text       time.Time           `json:"text"`
	Many       map[string][]string `json:"many"`
	unexported string              //nolint:unused // to see that it is left out
}

// Embedded and Pointed are embedded into odd.
type (
	Embedded struct {
		A string `json:"a"`
		B *bool  `json:"b"`
	}
	Pointed struct {
		C string `json:"c"`
	}
)

// tree contains itself, and nothing else that is odd.
type tree struct {
	Embedded `json:",inline"`
	Name     string `json:"name"`
	Plain    int32
	Left     *tree           `json:"left,omitempty"`
	Children []tree          `json:"children"`
	By       map[string]tree `json:"by"`
	private  int             //nolint:unused // to see that it is left out
}

func TestStructs(t *testing.T) {
	t.Parallel()
	for _, value := range literals {
		for _, field := range []string{
			"a", "b", "c", "named", "Untagged", "untagged", "Dash", "-", "quoted", "any", "bytes", "array", "float", "unsigned", "keys", "self", "selves", "pointers", "text", "many", "unexported",
			"name", "Plain", "left", "children", "by", "private", "Embedded",
		} {
			data := []byte(`{"` + field + `":` + value + `}`)
			compare(t, data, reflect.TypeFor[odd]())
			compare(t, data, reflect.TypeFor[tree]())
			nested := []byte(`{"name":"x","left":` + string(data) + `,"children":[` + string(data) + `,{}],"by":{"k":` + string(data) + `,"k":{}}}`)
			compare(t, nested, reflect.TypeFor[tree]())
		}
		compare(t, []byte(value), reflect.TypeFor[tree]())
		compare(t, []byte(value), reflect.TypeFor[corev1.Pod]())
		compare(t, []byte(value), reflect.TypeFor[metav1.Time]())
		compare(t, []byte(value), reflect.TypeFor[any]())
	}
	if data := `{"a":"1","name":"x","left":{"children":[{"by":{"k":{"b":true}}}]}}`; !apijson.InOnePass([]byte(data), &tree{}) {
		t.Errorf("%s is not read in one pass", data)
	}
}

// What costs much to read is not begun, or given up early: the API machinery's decoder
// then reads it alone.
func TestLargeIsReadByTheOtherDecoder(t *testing.T) {
	t.Parallel()
	const pod = `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[`
	for name, data := range map[string]string{
		"bytes":                  pod + `{"name":"` + strings.Repeat("a", 64<<10) + `"}]}}`,
		"elements":               pod + strings.Repeat("{},", 2000) + `{}]}}`,
		"elements of many lists": pod + strings.Repeat(`{"env":[{},{},{},{},{},{},{},{},{},{}]},`, 200) + `{}]}}`,
		"levels":                 `{"unknown":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		if apijson.InOnePass([]byte(data), &corev1.Pod{}) {
			t.Errorf("%s: read in one pass", name)
		}
		compare(t, []byte(data), reflect.TypeFor[corev1.Pod]())
	}
}

// Lists of any length are read in one pass, one after the other and one in another, and
// what one of them leaves behind is not in the next one.
func TestLists(t *testing.T) {
	t.Parallel()
	for n := range 70 {
		full := strings.Repeat(`{"name":"x","b":true,"children":[{"name":"y","Plain":1},{"left":{"name":"z"}}]},`, n) + `{"name":"last"}`
		bare := strings.Repeat(`{},`, n) + `{}`
		for _, data := range []string{`{"children":[` + full + `]}`, `{"children":[` + bare + `]}`, `{"children":[{"children":[` + bare + `]},{"children":[` + full + `]},` + bare + `]}`} {
			compare(t, []byte(data), reflect.TypeFor[tree]())
			if !apijson.InOnePass([]byte(data), &tree{}) {
				t.Fatalf("not read in one pass: %s", data)
			}
			broken := strings.Replace(data, `"last"`, `1`, 1)
			compare(t, []byte(broken), reflect.TypeFor[tree]())
		}
	}
}

func TestIntoNothing(t *testing.T) {
	t.Parallel()
	for _, into := range []any{nil, corev1.Pod{}, (*corev1.Pod)(nil)} {
		if err := apijson.Unmarshal([]byte(`{}`), into); err == nil {
			t.Errorf("%T: no error", into)
		}
	}
}
