package emr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/emrguard/emrguard/pkg/pattern"
)

// Image is the reference of a container image, taken apart.
type Image struct {
	// Host of the registry, with its port if it is not the usual one, in lower
	// case: docker.io for Docker's short names.
	Host string
	// Path of the repository in the registry.
	Path string
	// Tag and Digest, each empty when there is none.
	Tag, Digest string
}

// errImage is all that is said of a reference that cannot be read: it might hold
// a password.
var errImage = errors.New("it is no image reference such as host/path:tag or host/path@sha256:…")

// ParseImage reads the reference of an image as the kubelet and container
// runtimes do. A reference that it refuses starts no container anywhere.
func ParseImage(s string) (Image, error) {
	if i, ok := parsedImages.get(s); ok {
		return i, nil
	}
	i, err := parseImage(s)
	if err == nil {
		parsedImages.put(s, i)
	}
	return i, err
}

func parseImage(s string) (Image, error) {
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return Image{}, errImage
	}
	i := Image{Host: canonicalHost(reference.Domain(named)), Path: reference.Path(named)}
	if t, ok := named.(reference.Tagged); ok {
		i.Tag = t.Tag()
	}
	if d, ok := named.(reference.Digested); ok {
		i.Digest = d.Digest().String()
	}
	return i, nil
}

// canonicalHost writes a host as registries are compared: the names of hosts have
// no case, and 443 is the port when none is said.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	if host == "index.docker.io" {
		return "docker.io"
	}
	return host
}

// Repository is the image without tag and digest.
func (i Image) Repository() string { return i.Host + "/" + i.Path }

// IsEMRs reports whether EMR itself publishes the image: in the ECR of EMR's
// account of the very region, or in EMR's place in Amazon ECR Public.
func (i Image) IsEMRs() bool {
	if slices.Contains(publicRegistries, i.Host) {
		return strings.HasPrefix(i.Path, publicAlias+"/")
	}
	account, region, ok := i.ECR()
	return ok && registries[region] == account
}

// ECR returns the AWS account and the region of an image in a private ECR.
func (i Image) ECR() (account, region string, ok bool) {
	account, rest, _ := strings.Cut(i.Host, ".")
	if !isAWSAccountID(account) {
		return "", "", false
	}
	for _, form := range ecrHosts {
		middle, found := strings.CutPrefix(rest, form.prefix)
		if !found {
			continue
		}
		region, found = strings.CutSuffix(middle, form.suffix)
		if found && region != "" && !strings.ContainsAny(region, ".:") && strings.HasPrefix(region, "cn-") == form.china {
			return account, region, true
		}
	}
	return "", "", false
}

// ecrHosts are the forms of ECR's hosts: the usual one, the one with FIPS
// cryptography, and both for IPv4 and IPv6 (dual stack).
//
// Source: "Amazon ECR endpoints" in the AWS General Reference.
var ecrHosts = []struct {
	prefix, suffix string
	china          bool
}{
	{"dkr.ecr.", ".amazonaws.com", false},
	{"dkr.ecr-fips.", ".amazonaws.com", false},
	{"dkr-ecr.", ".on.aws", false},
	{"dkr-ecr-fips.", ".on.aws", false},
	{"dkr.ecr.", ".amazonaws.com.cn", true},
	{"dkr-ecr.", ".on.amazonwebservices.com.cn", true},
}

// RegistryAccount is the account whose ECR holds EMR's images in a region, empty
// when it is not known.
func RegistryAccount(region string) string { return registries[region] }

// Stamp reads the release and the day in the image's name and tag:
// `spark/emr-7.13.0:20260410`, `spark/emr-7.13.0-java17-20260410:latest`,
// `emr-on-eks:emr-7.13.0-20260410`. An image that is built on EMR's counts when
// its name says so in the same way.
func (i Image) Stamp() Stamp {
	var s Stamp
	parts := strings.Split(i.Path, "/")
	for _, part := range slices.Backward(parts) {
		if _, _, ok := cutRelease(part); ok {
			s.read(part)
			break
		}
	}
	s.read(i.Tag)
	return s
}

// Registry is an entry in a list of registries: a host, and perhaps the beginning
// of a path.
type Registry struct {
	host, path []pattern.Pattern // of its labels and parts
}

// ParseRegistry reads `host[:port][/path]`. A * stands for any run of characters
// within one label of the host or one part of the path, never for a dot or slash.
func ParseRegistry(s string) (Registry, error) {
	host, path, _ := strings.Cut(s, "/")
	switch {
	case s == "":
		return Registry{}, errors.New("the registry is empty: write a host, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com")
	case strings.Contains(s, "://"):
		return Registry{}, fmt.Errorf("%q has a scheme: write the host alone", s)
	case strings.ContainsAny(s, "@ \t\n"):
		return Registry{}, fmt.Errorf("%q is no registry: write host or host/path, without user and digest", s)
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		return Registry{}, fmt.Errorf("%q does not begin with a host: Docker's short names are docker.io/library/<name> or docker.io/<name>/…", s)
	case strings.Contains(path, ":"):
		return Registry{}, fmt.Errorf("%q has a tag: write host or host/path", s)
	case path != strings.ToLower(path):
		return Registry{}, fmt.Errorf("%q has a path in upper case, which no image has", s)
	}
	var r Registry
	var err error
	if r.host, err = parseParts(strings.Split(canonicalHost(host), ".")); err != nil {
		return Registry{}, fmt.Errorf("%q: %w", s, err)
	}
	if path = strings.TrimSuffix(path, "/"); path != "" {
		if r.path, err = parseParts(strings.Split(path, "/")); err != nil {
			return Registry{}, fmt.Errorf("%q: %w", s, err)
		}
	}
	return r, nil
}

// Holds reports whether the image is in the registry.
func (r Registry) Holds(i Image) bool {
	host, path := strings.Split(i.Host, "."), strings.Split(i.Path, "/")
	return len(host) == len(r.host) && len(path) >= len(r.path) && matchParts(r.host, host) && matchParts(r.path, path)
}

func matchParts(patterns []pattern.Pattern, parts []string) bool {
	for i, p := range patterns {
		if !p.Match(parts[i]) {
			return false
		}
	}
	return true
}

func parseParts(parts []string) ([]pattern.Pattern, error) {
	set, err := pattern.ParseSet(parts)
	if err != nil {
		return nil, errors.New("there is nothing between two dots or slashes")
	}
	return set, nil
}

// IsRegistryAccount reports whether the account holds EMR's images in some region.
func IsRegistryAccount(account string) bool {
	for _, known := range registries {
		if known == account {
			return true
		}
	}
	return false
}
