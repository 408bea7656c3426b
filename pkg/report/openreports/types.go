// Package openreports writes what an audit has found as Report and ClusterReport of
// openreports.io/v1alpha1, for people and tools that read results there.
package openreports

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Of the API, as https://github.com/openreports/reports-api v0.2.1 defines it. Its
// own Go types write a zero time where there is none.
const (
	apiVersion = "openreports.io/v1alpha1"
	apiPath    = "/apis/" + apiVersion
)

// Values of a result.
const (
	resultFail = "fail"
	resultWarn = "warn"
)

// object is a Report or a ClusterReport.
type object struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	content
}

// content is what a report says.
type content struct {
	Source        string         `json:"source"`
	Configuration *configuration `json:"configuration,omitempty"`
	Summary       summary        `json:"summary"`
	Results       []result       `json:"results,omitempty"`
}

// configuration tells readers what a report leaves out.
type configuration struct {
	Limits limits `json:"limits"`
}

type limits struct {
	MaxResults   int      `json:"maxResults"`
	StatusFilter []string `json:"statusFilter"`
}

type summary struct {
	Pass  int `json:"pass"`
	Fail  int `json:"fail"`
	Warn  int `json:"warn"`
	Error int `json:"error"`
	Skip  int `json:"skip"`
}

// result is one finding.
type result struct {
	Policy     string                   `json:"policy"`
	Rule       string                   `json:"rule,omitempty"`
	Category   string                   `json:"category,omitempty"`
	Severity   string                   `json:"severity,omitempty"`
	Timestamp  *metav1.Timestamp        `json:"timestamp,omitempty"` // when it was found first
	Result     string                   `json:"result"`
	Scored     bool                     `json:"scored,omitempty"`
	Resources  []corev1.ObjectReference `json:"resources,omitempty"`
	Message    string                   `json:"message,omitempty"`
	Properties map[string]string        `json:"properties,omitempty"`
}
