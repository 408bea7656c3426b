package rules

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
	// path of the field, and the container that it is for.
	path, container string
}

// imagesOf returns the images of an object, each once for every field that names
// it. The rules on images share them.
func imagesOf(r *rule.Request) []namedImage {
	found, _ := r.Once("images", func() (any, error) {
		var list []namedImage
		seen := map[[2]string]bool{}
		for i := range r.Object.Pods {
			for c := range r.Object.Pods[i].Containers() {
				at := c.ImagePath()
				if c.Image == "" || seen[[2]string{at, c.Image}] {
					continue
				}
				seen[[2]string{at, c.Image}] = true
				parsed, err := emr.ParseImage(c.Image)
				list = append(list, namedImage{Image: parsed, err: err, path: at, container: c.Name})
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

func (i *namedImage) String() string {
	return fmt.Sprintf("image %q of container %q", i.Repository(), i.container)
}
