package rule

import "reflect"

// Shared is what rules of one engine share: one value of a type, which belongs to their
// family. It is used while the rules are made, by one goroutine.
type Shared struct{ values map[reflect.Type]any }

// Share returns the value of a family, which build makes when the first of its rules asks
// for it. Settings without Shared have it made for every rule.
func Share[T any](s Settings, build func() (T, error)) (T, error) {
	if s.Shared == nil {
		return build()
	}
	key := reflect.TypeFor[T]()
	if value, ok := s.Shared.values[key].(T); ok {
		return value, nil
	}
	value, err := build()
	if err != nil {
		return value, err
	}
	if s.Shared.values == nil {
		s.Shared.values = map[reflect.Type]any{}
	}
	s.Shared.values[key] = value
	return value, nil
}
