// Package policies compiles and runs the chart's ValidatingAdmissionPolicies with the
// API server's own code, for every version of Kubernetes that the chart supports.
package policies
