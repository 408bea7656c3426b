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
		rep.Add(rule.Finding{Reason: &externalIP, Path: fmt.Sprintf("spec.externalIPs[%d]", i), Args: rule.Args(ip)})
	}
	if s.Spec.Type == corev1.ServiceTypeNodePort {
		rep.Add(rule.Finding{Reason: &nodePort, Path: "spec.type"})
	}
	class := ""
	if s.Spec.LoadBalancerClass != nil {
		class = *s.Spec.LoadBalancerClass
	}
	if r.Existing() && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		class = cmp.Or(class, x.class)
	}
	if lb := loadbalancer.OfService(s, class); lb != nil {
		reasons := &ofAny
		if s.Labels[emr.LabelType] == emr.TypeLoadBalancer {
			reasons = &ofLivy
		}
		x.judge(lb, "spec.type", reasons, rep)
	}
}
