// Package decode reads the JSON of API objects into Go types, and says in words of the
// API which field it cannot read.
package decode

import (
	"errors"

	"sigs.k8s.io/json"

	"github.com/emrguard/emrguard/pkg/apijson"
)

var errEmpty = errors.New("the object is empty")

// JSON reads an object as the API machinery does: names of fields in exactly their
// case, whole numbers as such. into points to a zero value.
func JSON(raw []byte, into any) error {
	if len(raw) == 0 {
		return errEmpty
	}
	return apijson.Unmarshal(raw, into)
}

// IsBroken reports whether an error says that there is no JSON to read at all, in
// contrast to a field of another type than expected.
func IsBroken(err error) bool {
	syntax, _ := json.SyntaxErrorOffset(err)
	return syntax || errors.Is(err, errEmpty)
}
