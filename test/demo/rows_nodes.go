package main

// The clauses of the guide that the rows below are about.
const (
	nodeCredentials = "Node credentials"
	leastPrivilege  = "Least privilege"
)

// nodeRows open and shut the way to the credentials of nodes, and give execution
// roles.
func nodeRows() []row {
	return []row{
		{
			"ben", "NetworkPolicy with egress to 0.0.0.0/0", nodeCredentials, warned, "imds-network-policy", "",
			createFile(ben, "networkpolicy-open.yaml"),
		},
		{
			"ben", "the same, except 169.254.169.254/32", nodeCredentials, allowed, "", "",
			createFile(ben, "networkpolicy-tight.yaml"),
		},
		{
			"ben", "EC2NodeClass with hop limit 2", nodeCredentials, warned, "karpenter-instance-metadata", "",
			createFile(ben, "ec2nodeclass-hop-limit.yaml"),
		},
		{
			"ben", "IAM Role of ACK with s3:*, trusted by emr-containers*", leastPrivilege, warned, "execution-role-policy", "",
			createFile(ben, "iam-role-wide.yaml"),
		},
		{
			"ben", "IAM Role of ACK as the AWS CLI and the documentation have it", leastPrivilege, allowed, "", "",
			createFile(ben, "iam-role-narrow.yaml"),
		},
	}
}
