// Package licenses looks at the licences of what the binary is made of.
package licenses_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// allowed are the licences under which a part of the binary may stand, by a
// phrase that each of them has and no other.
var allowed = map[string]string{
	"Apache-2.0": "apache license version 2.0, january 2004",
	"MIT":        "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files",
	"BSD":        "redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met",
	"ISC":        "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted",
}

var blanks = regexp.MustCompile(`\s+`)

func licenceOf(text string) string {
	text = strings.ToLower(blanks.ReplaceAllString(text, " "))
	for name, phrase := range allowed {
		if strings.Contains(text, phrase) {
			return name
		}
	}
	return ""
}

type module struct{ Path, Version, Dir string }

func modules(t *testing.T) map[string]module {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "github.com/emrguard/emrguard/cmd/emrguard")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	list := map[string]module{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *module }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil {
			list[p.Module.Path] = *p.Module
		}
	}
}

func TestEveryModuleOfTheBinaryHasAnAllowedLicence(t *testing.T) {
	t.Parallel()
	list := modules(t)
	if len(list) < 10 {
		t.Fatalf("the binary is made of %d modules only: go list was not understood", len(list))
	}
	for _, m := range list {
		files, err := filepath.Glob(filepath.Join(m.Dir, "LICEN[CS]E*"))
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if found = licenceOf(string(text)); found != "" {
				break
			}
		}
		if found == "" {
			t.Errorf("%s %s has no licence that is allowed (looked at %q)", m.Path, m.Version, files)
		}
	}
}
