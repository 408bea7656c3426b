// Package guide names the guides that emrguard enforces, and what a clause of one is.
package guide

// The guides, as configurations and reports name them.
const (
	// EMR is "Security best practices" of Amazon EMR on EKS.
	EMR = "emr"
	// EKS is "Best Practices for Security" of Amazon EKS.
	EKS = "eks"
)

// All lists the guides.
func All() []string { return []string{EMR, EKS} }

// Clause is a recommendation of a guide, or a section that recommends one thing.
type Clause struct {
	// Guide that it is of: EMR or EKS.
	Guide string
	// ID is unique within the guide, in lower case with dashes.
	ID string
	// Section is the English title of the section that holds it.
	Section string
	// Address of the page.
	Address string
}

// String returns the guide and the id: "emr/rbac".
func (c Clause) String() string { return c.Guide + "/" + c.ID }
