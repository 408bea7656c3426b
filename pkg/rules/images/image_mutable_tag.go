package images

import (
	_ "embed" // the documentation of the rule
	"fmt"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const imageMutableTagID = "image-mutable-tag"

//go:embed image-mutable-tag.md
var mutableTagDoc string

// MutableTag is the rule image-mutable-tag.
//
// Guide, "Get the latest security updates for custom images": "Rebuild your custom
// images whenever there is a new version of the base image." That takes knowing which
// build runs.
//
// Fields: those of image-registry.
//
// Allowed: images by digest, also with a tag beside it; EMR's own images by tag,
// for AWS says to run the tag `latest` to have its security updates.
func MutableTag() rule.Rule {
	return rule.Rule{
		ID:          imageMutableTagID,
		Title:       "custom images named by a tag instead of a digest",
		Doc:         mutableTagDoc,
		Remediation: "name the image by its digest: repository@sha256:…",
		Guide:       guide.Images,
		Default:     rule.Warn,
		Targets:     targets.PodSpecs(),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(imageMutableTagID, &struct{}{}); err != nil {
				return nil, err
			}
			return eachImage(func(i *namedImage, rep *rule.Report) {
				// What cannot be read is image-registry's finding.
				if i.err == nil && i.Digest == "" && !i.IsEMRs() {
					rep.Add(rule.Finding{Path: i.path, Message: fmt.Sprintf("the custom %s is named by a tag, which can be moved to another build", i)})
				}
			}), nil
		},
	}
}
