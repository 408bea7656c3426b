package emr

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

const base36Digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// maxSuffixLength bounds what DecodeRoleName reads: 64 bytes, the longest IAM
// role name, are at most 100 digits in base 36. A ServiceAccount name can be
// longer, and nobody needs a guard that computes with such a number.
const maxSuffixLength = 100

// EncodeRoleName returns the base-36 form of an IAM role name (the name alone,
// without path or ARN) as EMR on EKS writes it at the end of a managed service
// account's name: the bytes of the name are read as one big-endian integer and
// printed with the digits 0-9a-z. The empty name is "0".
//
// Source: `aws emr-containers update-role-trust-policy` of the AWS CLI.
func EncodeRoleName(name string) string {
	return new(big.Int).SetBytes([]byte(name)).Text(36)
}

// DecodeRoleName is the inverse of EncodeRoleName. It returns an error when the
// suffix is empty, longer than any role name can make it, or holds a character
// that is no base-36 digit. "0" decodes to the empty name.
func DecodeRoleName(suffix string) (string, error) {
	switch {
	case suffix == "":
		return "", errors.New("the role suffix is empty")
	case len(suffix) > maxSuffixLength:
		return "", fmt.Errorf("the role suffix has %d digits, an IAM role name makes at most %d", len(suffix), maxSuffixLength)
	}
	if i := strings.IndexFunc(suffix, func(r rune) bool { return !strings.ContainsRune(base36Digits, r) }); i >= 0 {
		return "", fmt.Errorf("the role suffix %q is not base 36 (0-9a-z) at position %d", suffix, i)
	}
	n, ok := new(big.Int).SetString(suffix, 36)
	if !ok {
		return "", fmt.Errorf("the role suffix %q is not base 36 (0-9a-z)", suffix)
	}
	return string(n.Bytes()), nil
}
