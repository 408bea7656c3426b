package apijson

import (
	"reflect"
	"slices"
	"strings"
)

// structDecoder reads a struct.
type structDecoder struct {
	fields []field
	// unsure is true for a struct that only the API machinery's decoder reads.
	unsure bool
}

type field struct {
	name   string
	index  []int // of the field, through the structs that it is embedded in
	decode decoder
}

func (c *compiler) structOf(t reflect.Type) decoder {
	if d, ok := c.making[t]; ok {
		return d.decode
	}
	d := &structDecoder{}
	if c.making == nil {
		c.making = map[reflect.Type]*structDecoder{}
	}
	c.making[t] = d
	d.unsure = !c.addFields(d, t, nil) || len(d.fields) > 64
	return d.decode
}

// addFields adds the fields of a struct as encoding/json knows them. It reports false
// for structs that are not as those of the API: two fields of one name, embedded
// pointers, options that change the form.
func (c *compiler) addFields(d *structDecoder, t reflect.Type, outer []int) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, hasTag := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		index := slices.Concat(outer, []int{i})
		switch {
		case tag == "-":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && f.IsExported():
			if !c.addFields(d, f.Type, index) {
				return false
			}
			continue
		case f.Anonymous && name == "":
			return false
		case !f.IsExported():
			if hasTag {
				return false
			}
			continue
		case strings.Contains(","+options+",", ",string,"), !isFieldName(name):
			return false
		case name == "":
			name = f.Name
		}
		for j := range d.fields {
			if d.fields[j].name == name {
				return false
			}
		}
		d.fields = append(d.fields, field{name, index, c.compile(f.Type)})
	}
	return true
}

// isFieldName reports whether a name in a tag is one that needs no second thought.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (d *structDecoder) decode(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	if d.unsure {
		return false
	}
	more, ok := r.open('{', '}')
	r.depth++
	var seen uint64
	at := 0
	for more && ok {
		key, isText := r.text()
		if !isText || !r.take(':') {
			return false
		}
		i := d.find(key, at)
		switch {
		case i < 0:
			_, ok = r.value()
		case seen&(1<<i) != 0:
			return false // what it leaves of the first one is not obvious
		default:
			seen |= 1 << i
			f := &d.fields[i]
			into := v
			for _, k := range f.index {
				into = into.Field(k)
			}
			ok = f.decode(r, into)
			at = i + 1
		}
		if ok {
			more, ok = r.more('}')
		}
	}
	r.depth--
	return ok
}

// find returns the index of the field of that name, or -1. Objects of the API server
// have their fields in the order of the struct, so it is mostly the next one or one
// soon after it.
func (d *structDecoder) find(name []byte, at int) int {
	for i := at; i < len(d.fields); i++ {
		if d.fields[i].name == string(name) {
			return i
		}
	}
	for i := range min(at, len(d.fields)) {
		if d.fields[i].name == string(name) {
			return i
		}
	}
	return -1
}
