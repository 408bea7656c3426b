package object

// Job is what a custom resource says of the job that it runs, besides its pods and
// settings.
type Job struct {
	// Session is the name of the FlinkDeployment that a FlinkSessionJob runs in, empty
	// for all other kinds.
	Session string
	// ExecutionRole is the IAM role that the object names itself, in the field of that
	// path; empty when it names none.
	ExecutionRole, ExecutionRolePath string
	// ReleaseLabel is the release of EMR that the object asks for, in the field of that
	// path; empty when it asks for none.
	ReleaseLabel, ReleaseLabelPath string
	// Namespace in which the object says that its pods run, empty when it says nothing.
	Namespace string
	// VirtualCluster is where a JobRun runs; nil for all other kinds.
	VirtualCluster *VirtualClusterRef
	// accounts are declared by runAs, accountFields are where they may stand.
	accounts      []Account
	accountFields []string
}

// VirtualClusterRef names the virtual cluster in which a JobRun runs, whatever the
// namespace of the JobRun.
type VirtualClusterRef struct {
	// ID of the virtual cluster, empty when an object names it.
	ID string
	// Name and Namespace of the VirtualCluster that names it, empty for none.
	Name, Namespace string
}
