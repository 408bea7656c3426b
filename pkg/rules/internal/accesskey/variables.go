package accesskey

import (
	"slices"
	"strings"
)

// Variables are the variables with which the AWS SDKs take a key, or a file
// that holds one. Sources: botocore, the SDK for Java 1 and 2.
var Variables = []string{
	"AMAZON_ACCESS_KEY_ID", // SDKs for Ruby and JavaScript 2
	"AMAZON_SECRET_ACCESS_KEY",
	"AMAZON_SESSION_TOKEN",
	"AWS_ACCESS_KEY", // SDK for Java 1
	"AWS_ACCESS_KEY_ID",
	"AWS_CONFIG_FILE",
	"AWS_CREDENTIAL_FILE", // boto 2
	"AWS_CREDENTIAL_PROFILES_FILE",
	"AWS_DEFAULT_PROFILE",
	"AWS_PROFILE",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SECRET_KEY", // SDK for Java 1
	"AWS_SECURITY_TOKEN",
	"AWS_SESSION_TOKEN",
	"AWS_SHARED_CREDENTIALS_FILE",
}

// IsVariable reports whether a variable of that name is one of them.
func IsVariable(name string) bool {
	if !strings.HasPrefix(name, "A") {
		return false
	}
	_, ok := slices.BinarySearch(Variables, name)
	return ok
}
