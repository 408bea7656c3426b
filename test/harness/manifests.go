package harness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// ParseManifests reads the objects of a YAML stream. Empty documents are left
// out; source names the stream in errors.
func ParseManifests(source string, data []byte) ([]*unstructured.Unstructured, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var objects []*unstructured.Unstructured
	for i := 1; ; i++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", source, i, err)
		}
		content, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", source, i, err)
		}
		if string(content) == "null" { // only comments
			continue
		}
		obj := &unstructured.Unstructured{}
		if err := obj.UnmarshalJSON(content); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", source, i, err)
		}
		objects = append(objects, obj)
	}
}

// ReadManifests reads the objects of a YAML file.
func ReadManifests(fsys fs.FS, path string) ([]*unstructured.Unstructured, error) {
	data, err := fs.ReadFile(fsys, path)
	if err != nil {
		return nil, err
	}
	return ParseManifests(path, data)
}

// InNamespace moves an object into a namespace: its own, and that of the
// ServiceAccounts that a binding names in the namespace that the object had.
func InNamespace(obj *unstructured.Unstructured, namespace string) {
	old := obj.GetNamespace()
	if old == "" || old == namespace {
		return
	}
	obj.SetNamespace(namespace)
	subjects, ok := obj.Object["subjects"].([]any)
	if !ok {
		return
	}
	for _, s := range subjects {
		if subject, ok := s.(map[string]any); ok && subject["namespace"] == old {
			subject["namespace"] = namespace
		}
	}
}

// ToObject converts an object of a manifest to its Go type, strictly: a field
// that the type does not have is an error, as a misspelt one proves nothing.
func ToObject(obj *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(obj.Object, into, true); err != nil {
		return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
	}
	return nil
}

// FromObject converts a Go object, which must carry apiVersion and kind.
func FromObject(obj any) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("convert %T: %w", obj, err)
	}
	return &unstructured.Unstructured{Object: content}, nil
}

// patchJSON accepts a patch in JSON or YAML.
func patchJSON(patch string) ([]byte, error) {
	data, err := yaml.YAMLToJSON([]byte(patch))
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	return data, nil
}

func namespaceObject(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}
