package network_test

import (
	"errors"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
	"github.com/emrguard/emrguard/pkg/rules/network"
)

// What cannot be looked up is an error, whose consequence the configuration decides,
// and never a finding or nothing.
func TestEndpointLookUpFails(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"the class":         `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n"}, "spec": {"ingressClassName": "alb"}}`,
		"the default class": `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n"}}`,
		"the group": `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n",
			"annotations": {"kubernetes.io/ingress.class": "alb", "alb.ingress.kubernetes.io/group.name": "g"}}}`,
		"the Gateway's class": `{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "a", "namespace": "n"}, "spec": {"gatewayClassName": "alb"}}`,
	} {
		req := ruletest.Request(t, text)
		req.Requester = rule.Requester{User: "ann", Class: rule.Administrator}
		req.Cluster = ruletest.Down{}
		if found, err := ruletest.Ask(t, network.EndpointExposure(), req); !errors.Is(err, ruletest.ErrDown) || len(found) > 0 {
			t.Errorf("%s: %v, with %v", kind, err, found)
		}
	}
}
