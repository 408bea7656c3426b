package network

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
)

var (
	ingressResource      = schema.GroupResource{Group: networkingv1.GroupName, Resource: "ingresses"}
	ingressClassResource = schema.GroupResource{Group: networkingv1.GroupName, Resource: "ingressclasses"}
)

// paramsGroups are the API groups of the parameters that the controllers of AWS read.
var paramsGroups = map[string]string{
	loadbalancer.IngressController:         "elbv2.k8s.aws",
	loadbalancer.IngressControllerAutoMode: "eks.amazonaws.com",
}

// classes looks up classes and their parameters, each once.
type classes struct {
	cluster rule.Cluster
	known   map[string]ingressClass
}

// ingressClass is what a class makes of an Ingress.
type ingressClass struct {
	exists bool
	// controller of AWS, or empty.
	controller string
	params     *elbv2.IngressClassParams
}

func (x exposure) judgeIngress(ctx context.Context, r *rule.Request, o *networkingv1.Ingress, rep *rule.Report) error {
	c := classes{cluster: r.Cluster, known: map[string]ingressClass{}}
	name, class, err := c.of(ctx, o)
	switch {
	case err != nil:
		return err
	case class.exists && class.controller == "":
		return nil
	case !class.exists && name == "":
		return nil // nobody takes it
	case !class.exists && !hasIngressAnnotations(o) && (!r.File || name != loadbalancer.DefaultIngressClass):
		if !r.Existing() { // files seldom hold the classes
			rep.Add(rule.Finding{Reason: &unknownIngressClass, Path: "spec.ingressClassName", Args: rule.Args(name)})
		}
		return nil
	}
	in := ingressOf(o, class)
	group, err := c.group(ctx, in)
	if err != nil {
		return err
	}
	at := "spec.ingressClassName"
	if in.Annotations[loadbalancer.ClassAnnotation] != "" {
		at = fieldpath.Key("metadata.annotations", loadbalancer.ClassAnnotation)
	}
	x.judge(loadbalancer.OfIngress(in, group), at, &ofAny, rep)
	return nil
}

func ingressOf(o *networkingv1.Ingress, class ingressClass) loadbalancer.Ingress {
	return loadbalancer.Ingress{Ingress: o, AutoMode: class.controller == loadbalancer.IngressControllerAutoMode, Params: class.params}
}

// hasIngressAnnotations reports whether an Ingress is written for a controller of
// AWS, whatever its class will be.
func hasIngressAnnotations(o *networkingv1.Ingress) bool {
	for key := range o.Annotations {
		if strings.HasPrefix(key, loadbalancer.IngressPrefix) {
			return true
		}
	}
	return false
}

// of returns the class of an Ingress and its name, which is empty when there is none.
func (c *classes) of(ctx context.Context, o *networkingv1.Ingress) (string, ingressClass, error) {
	// The annotation goes before the field, and has no parameters.
	if name, ok := o.Annotations[loadbalancer.ClassAnnotation]; ok {
		class := ingressClass{exists: true}
		if name == loadbalancer.DefaultIngressClass {
			class.controller = loadbalancer.IngressController
		}
		return name, class, nil
	}
	if o.Spec.IngressClassName != nil {
		class, err := c.named(ctx, *o.Spec.IngressClassName)
		return *o.Spec.IngressClassName, class, err
	}
	name, err := c.byDefault(ctx)
	if err != nil || name == "" {
		return "", ingressClass{}, err
	}
	class, err := c.named(ctx, name)
	return name, class, err
}

// byDefault returns the class that the API server gives to an Ingress without one:
// of several defaults the newest, then the first by name.
func (c *classes) byDefault(ctx context.Context) (string, error) {
	list, err := c.cluster.Objects(ctx, ingressClassResource, "")
	if err != nil {
		return "", fmt.Errorf("list the IngressClasses: %w", err)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(o *object.Object) bool {
		return o.Meta.Annotations[networkingv1.AnnotationIsDefaultIngressClass] != "true"
	})
	if len(list) == 0 {
		return "", nil
	}
	return slices.MinFunc(list, func(a, b *object.Object) int {
		return cmp.Or(b.Meta.CreationTimestamp.Compare(a.Meta.CreationTimestamp.Time), cmp.Compare(a.Meta.Name, b.Meta.Name))
	}).Meta.Name, nil
}

func (c *classes) named(ctx context.Context, name string) (ingressClass, error) {
	if class, ok := c.known[name]; ok {
		return class, nil
	}
	class, err := c.lookUp(ctx, name)
	if err == nil {
		c.known[name] = class
	}
	return class, err
}

func (c *classes) lookUp(ctx context.Context, name string) (ingressClass, error) {
	o, err := found(c.cluster.Object(ctx, ingressClassResource, "", name))
	if err != nil {
		return ingressClass{}, fmt.Errorf("look up IngressClass %s: %w", name, err)
	}
	if o == nil {
		return ingressClass{}, nil
	}
	class := ingressClass{exists: true}
	typed, ok := o.Typed.(*networkingv1.IngressClass)
	if !ok {
		return class, nil
	}
	group := paramsGroups[typed.Spec.Controller]
	if group == "" {
		return class, nil
	}
	class.controller = typed.Spec.Controller
	ref := typed.Spec.Parameters
	if ref == nil || ref.APIGroup == nil || *ref.APIGroup != group || ref.Kind != "IngressClassParams" {
		return class, nil
	}
	params, err := found(c.cluster.Object(ctx, schema.GroupResource{Group: group, Resource: "ingressclassparams"}, "", ref.Name))
	if err != nil {
		return class, fmt.Errorf("look up IngressClassParams %s: %w", ref.Name, err)
	}
	if params != nil {
		class.params, _ = params.Typed.(*elbv2.IngressClassParams)
	}
	return class, nil
}

// group returns the other Ingresses that share the load balancer, of all namespaces.
func (c *classes) group(ctx context.Context, in loadbalancer.Ingress) ([]loadbalancer.Ingress, error) {
	name := in.Group()
	if name == "" {
		return nil, nil
	}
	list, err := c.cluster.Objects(ctx, ingressResource, "")
	if err != nil {
		return nil, fmt.Errorf("list the Ingresses of the group %q: %w", name, err)
	}
	var members []loadbalancer.Ingress
	for _, o := range list {
		other, ok := o.Typed.(*networkingv1.Ingress)
		if !ok || other.Namespace == in.Namespace && other.Name == in.Name || other.DeletionTimestamp != nil {
			continue
		}
		_, class, err := c.of(ctx, other)
		if err != nil {
			return nil, err
		}
		if member := ingressOf(other, class); class.controller != "" && member.AutoMode == in.AutoMode && member.Group() == name {
			members = append(members, member)
		}
	}
	return members, nil
}
