package images

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const imageMutableTagID = "image-mutable-tag"

//go:embed image-mutable-tag.md
var mutableTagDoc string

var mutableTag = rule.Reason{
	Name: "mutable-tag", Severity: rule.Medium,
	Message: "the custom image %[1]q of %[2]s is named by a tag, which can be moved to another build",
	Remedy:  "name the image by its digest: repository@sha256:…",
}

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
		ID:      imageMutableTagID,
		Title:   "custom images named by a tag instead of a digest",
		Doc:     mutableTagDoc,
		Clauses: []guide.Clause{emr.ClauseImages},
		Reasons: []*rule.Reason{&mutableTag},
		Targets: targets.PodSpecs(),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(imageMutableTagID, &struct{}{}); err != nil {
				return nil, err
			}
			return eachImage(func(i *namedImage, rep *rule.Report) {
				// What cannot be read is image-registry's finding.
				if i.err == nil && i.Digest == "" && !i.IsEMRs() {
					rep.Add(rule.Finding{Reason: &mutableTag, Path: i.path, Args: rule.Args(i.Repository(), i.of)})
				}
			}), nil
		},
	}
}
