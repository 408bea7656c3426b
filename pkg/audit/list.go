package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object"
)

// pageSize is how many objects one list request asks for: enough to be quick, and
// few enough to be held at a time.
const pageSize = 250

// list reads a resource page by page. A resource that the server does not have is
// an empty one.
func (l *liveRun) list(ctx context.Context, res object.Resource, namespace string, each func(*object.Object)) error {
	path := []string{"apis", res.Group, res.Version}
	if res.Group == "" {
		path = []string{"api", res.Version}
	}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	path = append(path, res.Resource)
	for next, restarts := "", 0; ; {
		if l.Progress != nil {
			judged := 0
			if l.auditor != nil {
				judged = l.auditor.report.Judged
			}
			l.Progress(res.GroupResource().String(), judged)
		}
		request := l.Client.Get().AbsPath(path...).SetHeader("Accept", "application/json").Param("limit", strconv.Itoa(pageSize))
		if next != "" {
			request.Param("continue", next)
		}
		body, err := request.Stream(ctx)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case apierrors.IsResourceExpired(err) && restarts < 3:
			// The list took longer than the server keeps its beginning. It goes on with
			// what is there now; the server says how.
			restarts++
			if next = continueOf(err); next != "" {
				continue
			}
			return fmt.Errorf("list %s: %w", res.GroupResource(), err)
		case err != nil:
			return fmt.Errorf("list %s: %w", res.GroupResource(), err)
		}
		next, err = page(res, body, each)
		if err = errors.Join(err, body.Close()); err != nil {
			return fmt.Errorf("list %s: %w", res.GroupResource(), err)
		}
		if next == "" {
			return nil
		}
	}
}

func continueOf(err error) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

// page decodes one page of a list as it comes, and returns where the next begins.
// One object is held at a time: a page of ConfigMaps may have hundreds of MiB.
func page(res object.Resource, body io.Reader, each func(*object.Object)) (next string, err error) {
	decoder := json.NewDecoder(body)
	switch begin, err := decoder.Token(); {
	case err != nil:
		return "", fmt.Errorf("read the answer: %w", err)
	case begin != json.Delim('{'):
		return "", fmt.Errorf("read the answer: it begins with %v", begin)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
		switch key {
		case "metadata":
			var list metav1.ListMeta
			err = decoder.Decode(&list)
			next = list.Continue
		case "items":
			err = items(res, decoder, each)
		default:
			var skipped json.RawMessage
			err = decoder.Decode(&skipped)
		}
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
	}
	if _, err := decoder.Token(); err != nil { // }
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return next, nil
}

// items decodes the objects of a page.
func items(res object.Resource, decoder *json.Decoder, each func(*object.Object)) error {
	switch begin, err := decoder.Token(); {
	case err != nil:
		return err
	case begin == nil: // null
		return nil
	case begin != json.Delim('['):
		return fmt.Errorf("items begins with %v", begin)
	}
	for decoder.More() {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return err
		}
		o, err := object.DecodeListed(res, raw)
		if err != nil {
			return err
		}
		each(o)
	}
	_, err := decoder.Token() // ]
	return err
}
