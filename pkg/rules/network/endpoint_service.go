package network

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

func (x exposure) judgeService(r *rule.Request, s *corev1.Service, rep *rule.Report) {
	for i, ip := range s.Spec.ExternalIPs {
		rep.Add(rule.Finding{
			Action:      rule.Warn,
			Path:        fmt.Sprintf("spec.externalIPs[%d]", i),
			Message:     fmt.Sprintf("every node takes what is sent to %q for the Service, whoever sends it", ip),
			Remediation: "remove externalIPs; use an internal load balancer with source ranges",
		})
	}
	if s.Spec.Type == corev1.ServiceTypeNodePort {
		rep.Add(rule.Finding{
			Action:      rule.Warn,
			Path:        "spec.type",
			Message:     "a Service of type NodePort is open on every node to whoever reaches one",
			Remediation: "use type ClusterIP, or an internal load balancer with source ranges",
		})
	}
	class := ""
	if s.Spec.LoadBalancerClass != nil {
		class = *s.Spec.LoadBalancerClass
	}
	if r.Requester.Class == rule.Nobody && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		class = cmp.Or(class, x.class)
	}
	if lb := loadbalancer.OfService(s, class); lb != nil {
		x.judge(lb, "spec.type", livyRemediation(s, lb), rep)
	}
}

// livyRemediation says how to fix the Service of EMR's chart for Livy, which is
// internet-facing unless its values say otherwise. It is empty for all others.
func livyRemediation(s *corev1.Service, lb *loadbalancer.LoadBalancer) string {
	switch {
	case s.Labels[emr.LabelType] != emr.TypeLoadBalancer:
		return ""
	case lb.Scheme == loadbalancer.InternetFacing:
		return "set loadbalancer.internal to true in the Helm values of Livy, and name the sources by service.annotations"
	}
	return "name the sources by service.annotations of Livy's Helm values: " + loadbalancer.ServicePrefix + "load-balancer-source-ranges"
}
