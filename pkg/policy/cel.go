package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/rule"
)

// literal writes a value in CEL. JSON is CEL: both escape strings in the same way.
func literal(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("write it in CEL: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// quote writes a string in CEL, list a list of strings, nil as an empty one.
func quote(s string) string { return constant(s) }

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// constant writes what consists of strings, lists and maps, which JSON always holds.
func constant(value any) string {
	text, err := literal(value)
	if err != nil {
		panic(err) //nolint:forbidigo // the values are constants of this package, and a test writes all of them
	}
	return text
}

// variable is a variable of a policy. Lines of the comment, which says why, become
// comments of CEL, so that they are read in the cluster as well.
func variable(name, expression string, comment ...string) admissionregistrationv1.Variable {
	var b strings.Builder
	for _, line := range comment {
		b.WriteString("// " + line + "\n")
	}
	b.WriteString(expression)
	return admissionregistrationv1.Variable{Name: name, Expression: b.String()}
}

// fits says whether a string fits a pattern of the configuration; both are
// expressions. It is pkg/pattern in RE2: what is between the wildcards is quoted by
// \Q and \E, and an \E in the pattern itself is written out. Most patterns are names,
// for which no expression has to be compiled.
func fits(text, pattern string) string {
	return fmt.Sprintf(`(%[2]s == "*" || %[2]s == %[1]s || %[2]s.contains("*") && %[1]s.matches(r"^(?s:\Q" + %[2]s.replace(r"\E", r"\E\\E\Q").replace("*", %[2]s.startsWith("arn:") ? r"\E[^:/]*\Q" : r"\E.*\Q") + r"\E)$"))`, text, pattern)
}

// fitsOne says whether a string fits one of a list of patterns.
func fitsOne(text, patterns string) string {
	return fmt.Sprintf("%s.exists(p, %s)", patterns, fits(text, "p"))
}

// saying writes the message of a finding as the webhook writes it: the texts of the reason,
// whose arguments are expressions.
func saying(id, path string, reason *rule.Reason, expressions ...string) string {
	return sentence(fmt.Sprintf("[%s/%s] %s: ", id, reason.Name, path)+reason.Message+"; "+reason.Remedy, expressions...)
}

// places are where arguments stand in a text of a reason.
var places = regexp.MustCompile(`%\[(\d+)\]s`)

// sentence writes a message: each %[n]s of the format stands for an expression.
func sentence(format string, expressions ...string) string {
	var terms []string
	end := 0
	for _, at := range places.FindAllStringSubmatchIndex(format, -1) {
		n, err := strconv.Atoi(format[at[2]:at[3]])
		if err != nil || n < 1 || n > len(expressions) {
			continue // stays as it is, which a test of the written files finds
		}
		if text := format[end:at[0]]; text != "" {
			terms = append(terms, quote(text))
		}
		terms = append(terms, expressions[n-1])
		end = at[1]
	}
	if end < len(format) {
		terms = append(terms, quote(format[end:]))
	}
	return strings.Join(terms, " + ")
}

// forbids is a validation: the expression holds, or the requester is excused. That the
// policy does not concern the requester is cheap to tell; whether somebody is excused takes
// a question to the authorizer, so it comes last.
func forbids(id, message, messageExpression, expression string) admissionregistrationv1.Validation {
	reason := metav1.StatusReasonForbidden
	return admissionregistrationv1.Validation{
		Expression:        "variables.unconcerned || (" + expression + ") || variables.excused",
		Message:           "[" + id + "] " + message,
		MessageExpression: messageExpression,
		Reason:            &reason,
	}
}

// indent moves all lines but the first to the right.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }
