package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The reasons a case may be excluded for. There is no other.
var reasons = []string{"tls", "auth"}

// table names the tests whose need does not show in the flags of their servers.
//
//go:embed excluded.txt
var table string

// exclude sets the reason of each case that needs what kvorum does not have yet: TLS by the flags
// of its servers, else by table, whose lines are "<reason> <test>". A line stands for a test with
// all its subtests, and must exclude a case that the flags do not.
func exclude(cases []*testCase, table string) error {
	for _, c := range cases {
		if c.tls {
			c.reason = "tls"
		}
	}
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		reason, test, _ := strings.Cut(line, " ")
		if !slices.Contains(reasons, reason) {
			return fmt.Errorf("excluded.txt: %q is no reason to exclude %q", reason, test)
		}
		used := false
		for _, c := range cases {
			if c.reason == "" && (c.name == test || strings.HasPrefix(c.name, test+"/")) {
				c.reason, used = reason, true
			}
		}
		if !used {
			return fmt.Errorf("excluded.txt: %q names no case, or one that is excluded anyway", test)
		}
	}
	return nil
}

// skipPattern returns what `go test -skip` needs to leave out the excluded cases, and no other.
func skipPattern(cases []*testCase) string {
	var patterns []string
	for _, c := range cases {
		if c.reason == "" {
			continue
		}
		elements := strings.Split(c.name, "/")
		for i, element := range elements {
			elements[i] = "^" + regexp.QuoteMeta(element) + "$"
		}
		patterns = append(patterns, strings.Join(elements, "/"))
	}
	return strings.Join(patterns, "|")
}
