// Package images holds the rules on container images: where they come from, how they
// are tagged and how old they are.
package images

import (
	"context"
	"fmt"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// namedImage is an image that an object names.
type namedImage struct {
	emr.Image
	// err says that the reference cannot be read.
	err error
	// path of the field, and whose image it is: `container "x"` or `volume "x"`.
	path, of string
}

// imagesOf returns the images of an object, each once for every field that names
// it. The rules on images share them.
func imagesOf(r *rule.Request) []namedImage {
	found, _ := r.Once("images", func() (any, error) {
		var list []namedImage
		seen := map[[2]string]bool{}
		add := func(at, reference, of string) {
			if reference == "" || seen[[2]string{at, reference}] {
				return
			}
			seen[[2]string{at, reference}] = true
			parsed, err := emr.ParseImage(reference)
			list = append(list, namedImage{Image: parsed, err: err, path: at, of: of})
		}
		for i := range r.Object.Pods {
			pod := &r.Object.Pods[i]
			for c := range pod.Containers() {
				add(c.ImagePath(), c.Image, fmt.Sprintf("container %q", c.Name))
			}
			// A volume of an image is code like an image that runs: a container may
			// start what lies in it.
			for j := range pod.Spec.Volumes {
				if v := &pod.Spec.Volumes[j]; v.Image != nil {
					add(pod.VolumePath(j)+".image.reference", v.Image.Reference, fmt.Sprintf("volume %q", v.Name))
				}
			}
		}
		return list, nil
	})
	list, _ := found.([]namedImage) // it can be nothing else
	return list
}

// eachImage makes a check of one that judges the images.
func eachImage(judge func(*namedImage, *rule.Report)) rule.Check {
	return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
		list := imagesOf(r)
		for i := range list {
			judge(&list[i], rep)
		}
		return nil
	}
}

// String names the image in messages.
func (i *namedImage) String() string {
	return fmt.Sprintf("image %q of %s", i.Repository(), i.of)
}
