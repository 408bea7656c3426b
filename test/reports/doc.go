// Package reports reads what pkg/report writes by programs that are not ours:
// SARIF by the JSON schema of the standard and by go-sarif, JUnit by go-junit.
//
// testdata/sarif-schema-2.1.0.json is the schema that OASIS publishes, unchanged:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
// (Schemata/sarif-schema-2.1.0.json of github.com/oasis-tcs/sarif-spec).
package reports
