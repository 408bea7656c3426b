package images

import (
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const imageRegistryID = "image-registry"

//go:embed image-registry.md
var registryDoc string

const registryMessage = "the image %[1]q of %[2]s is not from an allowed registry"

// With the parameter registries the platform team has said what is allowed, so what is
// not is graver then.
var (
	foreignRegistry = rule.Reason{
		Name: "foreign-registry", Severity: rule.Medium, Message: registryMessage,
		Remedy: "use EMR's image, or push the image to a registry of your own and allow it by rules[image-registry].params.registries",
	}
	forbiddenRegistry = rule.Reason{Name: "forbidden-registry", Severity: rule.High, Message: registryMessage, Remedy: foreignRegistry.Remedy}

	otherRegion = rule.Reason{
		Name: "other-region", Severity: rule.Medium, Message: registryMessage,
		Remedy: "in %[3]s, EMR's images are in the ECR of account %[4]s",
	}
	forbiddenOtherRegion = rule.Reason{Name: "forbidden-other-region", Severity: rule.High, Message: registryMessage, Remedy: otherRegion.Remedy}

	invalidReference = rule.Reason{
		Name: "invalid-reference", Severity: rule.Medium, Message: "the image of %[1]s cannot be read: %[2]s",
		Remedy: "correct the reference; no container runtime can read it either",
	}
	forbiddenInvalidReference = rule.Reason{
		Name: "forbidden-invalid-reference", Severity: rule.High, Message: invalidReference.Message, Remedy: invalidReference.Remedy,
	}
)

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
		ID:      imageRegistryID,
		Title:   "images from registries that nobody vouches for",
		Doc:     registryDoc,
		Clauses: []guide.Clause{emr.ClauseImages},
		Reasons: []*rule.Reason{&foreignRegistry, &otherRegion, &invalidReference, &forbiddenRegistry, &forbiddenOtherRegion, &forbiddenInvalidReference},
		Targets: targets.PodSpecs(),
		Parameters: []rule.Parameter{
			{
				Name: "registries", Type: "list of `host[:port][/path]`",
				Doc: "Registries, or the beginnings of paths in them, from which images may come besides EMR's own. " +
					"They take the place of the ECR of `emr.account`. `*` stands for any run of characters within one label of the host or one part of the path. With this list, everything else is of the graver reasons, which begin with `forbidden`.",
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
	foreign, region, invalid := &foreignRegistry, &otherRegion, &invalidReference
	if len(registries) > 0 {
		foreign, region, invalid = &forbiddenRegistry, &forbiddenOtherRegion, &forbiddenInvalidReference
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
			rep.Add(rule.Finding{Reason: invalid, Path: i.path, Args: rule.Args(i.of, i.err.Error())})
		case !allowed(i.Image):
			f := rule.Finding{Reason: foreign, Path: i.path, Args: rule.Args(i.Repository(), i.of)}
			if name, account := registryOf(i.Image); account != "" {
				f.Reason, f.Args = region, append(f.Args, name, account)
			}
			rep.Add(f)
		}
	}), nil
}

// registryOf returns the region of an image that is of EMR's account of another one, and
// the account of that region.
func registryOf(i emr.Image) (region, account string) {
	account, region, ok := i.ECR()
	if !ok || !emr.IsRegistryAccount(account) {
		return "", ""
	}
	return region, emr.RegistryAccount(region)
}
