package server

import (
	"fmt"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// addCertificates has the certificate made and rotated, when that is ours to do,
// and returns a channel that is closed as soon as the files are there.
func addCertificates(mgr manager.Manager, o *Options) (<-chan struct{}, error) {
	ready := make(chan struct{})
	if o.Certificates == Provided {
		close(ready)
		return ready, nil
	}
	dns := o.ServiceName + "." + o.Namespace + ".svc"
	err := rotator.AddRotator(mgr, &rotator.CertRotator{
		SecretKey:      types.NamespacedName{Namespace: o.Namespace, Name: o.SecretName},
		CertDir:        o.CertDir,
		CAName:         "emrguard-ca",
		CAOrganization: "emrguard",
		DNSName:        dns,
		ExtraDNSNames:  []string{o.ServiceName + "." + o.Namespace, dns + ".cluster.local"},
		IsReady:        ready,
		FieldOwner:     "emrguard",
		// Every replica needs its own files to be there; whoever comes first
		// writes the Secret, and a conflict is tried again.
		RequireLeaderElection: false,
		Webhooks:              []rotator.WebhookInfo{{Name: o.WebhookConfiguration, Type: rotator.Validating}},
	})
	if err != nil {
		return nil, fmt.Errorf("manage the serving certificate: %w", err)
	}
	return ready, nil
}
