// Package guide names the sections of Amazon's guides that the rules enforce.
package guide

import (
	"github.com/emrguard/emrguard/pkg/rule"
)

// emrGuide is the address of the EMR guide.
const emrGuide = "https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security-best-practices.html"

// The sections of the EMR guide.
var (
	PodCredentials = rule.Guide{Section: "Restrict pod credential access", Address: emrGuide}
	RBAC           = rule.Guide{Section: "Role-based access control (RBAC) permissions", Address: emrGuide}
	UntrustedCode  = rule.Guide{Section: "Isolate untrusted application code", Address: emrGuide}
	Endpoints      = rule.Guide{Section: "Access control list for endpoints", Address: emrGuide}
	Images         = rule.Guide{Section: "Get the latest security updates for custom images", Address: emrGuide}
	Nodes          = rule.Guide{Section: "Restrict access to node group IAM role or instance profile credentials", Address: emrGuide}
	LeastPrivilege = rule.Guide{Section: "Apply principle of least privilege", Address: emrGuide}
)
