package manifest

import (
	"encoding/json"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Nameless reports whether the object has neither a name nor the beginning of one.
func (o *Object) Nameless() bool {
	var head struct {
		Metadata struct {
			Name         string `json:"name"`
			GenerateName string `json:"generateName"`
		} `json:"metadata"`
	}
	return json.Unmarshal(o.JSON, &head) == nil && head.Metadata.Name == "" && head.Metadata.GenerateName == ""
}

// podTemplate is the kind of what names none and has the spec of a Pod: Spark reads a
// podTemplateFile as a Pod whatever it says it is.
func podTemplate(raw []byte) schema.GroupVersionKind {
	var head struct {
		Spec struct {
			Containers []struct{} `json:"containers"`
		} `json:"spec"`
	}
	if json.Unmarshal(raw, &head) != nil || len(head.Spec.Containers) == 0 {
		return schema.GroupVersionKind{}
	}
	return schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
}

// withKind adds what an object leaves out that is known from where it stands.
func withKind(raw []byte, kind schema.GroupVersionKind) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("add the kind %s: %w", kind.Kind, err)
	}
	fields["apiVersion"], fields["kind"] = quoted(kind.GroupVersion().String()), quoted(kind.Kind)
	return json.Marshal(fields)
}

// quoted is a string of JSON: names of versions and kinds hold nothing to escape that
// Go and JSON would write in different ways.
func quoted(s string) json.RawMessage { return json.RawMessage(strconv.QuoteToASCII(s)) }
