package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	sigsyaml "sigs.k8s.io/yaml"
)

// ReadManifests adds the objects of a stream of YAML or JSON documents that a
// snapshot can hold, Lists taken apart, and returns how many there were. Others
// are passed over. The error names the document.
func (s *Snapshot) ReadManifests(in io.Reader) (int, error) {
	documents := yaml.NewYAMLReader(bufio.NewReader(in))
	added := 0
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return added, nil
		}
		if err != nil {
			return added, fmt.Errorf("document %d: %w", n, err)
		}
		raw, err := sigsyaml.YAMLToJSON(document)
		if err != nil {
			return added, fmt.Errorf("document %d: %w", n, err)
		}
		if string(raw) == "null" {
			continue
		}
		count, err := s.add(raw, maxLists)
		if err != nil {
			return added, fmt.Errorf("document %d: %w", n, err)
		}
		added += count
	}
}

// maxLists is how deep a List may hold Lists.
const maxLists = 4

func (s *Snapshot) add(raw []byte, depth int) (int, error) {
	obj, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
	switch {
	case runtime.IsNotRegisteredError(err), runtime.IsMissingKind(err):
		return 0, nil // somebody else's
	case err != nil:
		return 0, err
	}
	if list, ok := obj.(*corev1.List); ok {
		added := 0
		for i := range list.Items {
			if depth == 0 {
				return added, errors.New("it holds Lists in Lists in Lists")
			}
			count, err := s.add(list.Items[i].Raw, depth-1)
			if err != nil {
				return added, fmt.Errorf("items[%d]: %w", i, err)
			}
			added += count
		}
		return added, nil
	}
	if !Known(obj) {
		return 0, nil
	}
	s.Set(obj)
	return 1, nil
}
