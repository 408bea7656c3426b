package images

import (
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const imageRegistryID = "image-registry"

//go:embed image-registry.md
var registryDoc string

// Registry is the rule image-registry.
//
// Guide, "Get the latest security updates for custom images": "Images of Amazon EMR on
// EKS are patched regularly"; patches for everything else in a custom image "are your
// responsibility". Nobody takes that responsibility for an image from an unknown
// registry.
//
// Fields: image of every container, spec.volumes[*].image.reference, spec.image and its
// like in custom resources, the images that Spark, Flink and the EMR job submitter are
// configured to use.
//
// Allowed: EMR's own registries; the registries of the parameter or, without it,
// the private ECR of emr.account in every region.
func Registry() rule.Rule {
	return rule.Rule{
		ID:          imageRegistryID,
		Title:       "images from registries that nobody vouches for",
		Doc:         registryDoc,
		Remediation: "use EMR's image, or push the image to a registry of your own and allow it by rules[image-registry].params.registries",
		Guide:       guide.Images,
		Default:     rule.Warn,
		Targets:     targets.PodSpecs(),
		Parameters: []rule.Parameter{
			{
				Name: "registries", Type: "list of `host[:port][/path]`",
				Doc: "Registries, or the beginnings of paths in them, from which images may come besides EMR's own. " +
					"They take the place of the ECR of `emr.account`. `*` stands for any run of characters within one label of the host or one part of the path. With this list, everything else is refused instead of warned about.",
			},
		},
		New: newImageRegistry,
	}
}

func newImageRegistry(s rule.Settings) (rule.Check, error) {
	var p struct {
		Registries []string `json:"registries" syntax:"registry"`
	}
	if err := s.Decode(imageRegistryID, &p); err != nil {
		return nil, err
	}
	registries := make([]emr.Registry, 0, len(p.Registries))
	for i, text := range p.Registries {
		registry, err := emr.ParseRegistry(text)
		if err != nil {
			return nil, rule.ParameterError(imageRegistryID, fmt.Errorf("registries[%d]: %w", i, err))
		}
		registries = append(registries, registry)
	}
	var action rule.Action // the rule's own
	if len(registries) > 0 {
		action = rule.Deny
	}
	allowed := func(i emr.Image) bool {
		if i.IsEMRs() {
			return true
		}
		if len(registries) > 0 {
			return slices.ContainsFunc(registries, func(r emr.Registry) bool { return r.Holds(i) })
		}
		account, _, private := i.ECR()
		return private && account == s.Account
	}
	return eachImage(func(i *namedImage, rep *rule.Report) {
		switch {
		case i.err != nil:
			rep.Add(rule.Finding{
				Action: action, Path: i.path,
				Message:     fmt.Sprintf("the image of %s cannot be read: %v", i.of, i.err),
				Remediation: "correct the reference; no container runtime can read it either",
			})
		case !allowed(i.Image):
			f := rule.Finding{Action: action, Path: i.path, Message: fmt.Sprintf("the %s is not from an allowed registry", i)}
			if right := otherRegion(i.Image); right != "" {
				f.Remediation = right
			}
			rep.Add(f)
		}
	}), nil
}

// otherRegion explains an image of EMR's account of one region in another one.
func otherRegion(i emr.Image) string {
	account, region, ok := i.ECR()
	if !ok || !emr.IsRegistryAccount(account) {
		return ""
	}
	right := emr.RegistryAccount(region)
	if right == "" {
		return ""
	}
	return fmt.Sprintf("in %s, EMR's images are in the ECR of account %s", region, right)
}
