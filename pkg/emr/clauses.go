package emr

import "github.com/emrguard/emrguard/pkg/guide"

const guideAddress = "https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security-best-practices.html"

func clause(id, section string) guide.Clause {
	return guide.Clause{Guide: guide.EMR, ID: id, Section: section, Address: guideAddress}
}

// The clauses of the guide, by its sections.
var (
	ClausePodCredentials = clause("pod-credentials", "Restrict pod credential access")
	ClauseRBAC           = clause("rbac", "Role-based access control (RBAC) permissions")
	ClauseUntrustedCode  = clause("untrusted-code", "Isolate untrusted application code")
	ClauseEndpoints      = clause("endpoints", "Access control list for endpoints")
	ClauseImages         = clause("images", "Get the latest security updates for custom images")
	ClauseNodes          = clause("nodes", "Restrict access to node group IAM role or instance profile credentials")
	ClauseLakeFormation  = guide.Clause{
		Guide: guide.EMR, ID: "lake-formation", Section: "Considerations for Lake Formation (fine-grained access control)",
		Address: "https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-works.html",
	}
	ClauseLeastPrivilege = clause("least-privilege", "Apply principle of least privilege")
)
