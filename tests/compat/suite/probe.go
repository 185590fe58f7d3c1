package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// testCase is a test or subtest that starts a cluster of its own, or ends before it would.
type testCase struct {
	name    string
	members int    // servers it starts at once; 0 if it skips itself before
	tls     bool   // one of them is given a certificate, or told to make one
	reason  string // why it is excluded; "" if it is not
}

// recorder stands in for a server: it answers --version, and else notes its flags, one server a
// line, and ends. The suite then reports the case as failed and goes on to the next.
const recorder = `#!/bin/sh
case "$*" in
*--version*) echo "etcd Version: %s" ;;
*) echo "$*" >>"%s"; exit 1 ;;
esac
`

// probe lists the suite's cases. Subtests on one running cluster are part of their case. The cases
// the suite has only where it finds an older release are listed as well.
func probe(dir string) ([]*testCase, error) {
	bin, record := filepath.Join(dir, "probe"), filepath.Join(dir, "record")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return nil, err
	}
	for name, version := range map[string]string{"etcd": "3.7.1", "etcd-last-release": "3.6.0"} {
		script := fmt.Sprintf(recorder, version, record)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
			return nil, err
		}
	}
	cmd := testCommand(bin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // that cases fail is the point
		return nil, err
	}
	names := leaves(out)
	if len(names) == 0 {
		return nil, errors.New("the suite lists no case")
	}
	flags, err := os.ReadFile(record)
	if err != nil {
		return nil, err
	}
	return newCases(names, string(flags))
}

// leaves returns the tests that have no subtests, in the order they ended.
func leaves(testOutput []byte) []string {
	var names []string
	parents := map[string]bool{}
	for _, e := range parseEvents(testOutput) {
		if e.Test == "" || !e.final() {
			continue
		}
		names = append(names, e.Test)
		for parent := e.Test; strings.Contains(parent, "/"); {
			parent = parent[:strings.LastIndex(parent, "/")]
			parents[parent] = true
		}
	}
	leaves := names[:0]
	for _, name := range names {
		if !parents[name] {
			leaves = append(leaves, name)
		}
	}
	return leaves
}

var (
	// A member is named after its test, less these characters, and its number.
	notInMemberName = regexp.MustCompile(`[^a-zA-Z0-9 \-_]+`)
	memberName      = regexp.MustCompile(`--name=(.*?)-test-\d+ --`)
	initialCluster  = regexp.MustCompile(`--initial-cluster=(\S+)`)
	tlsFlag         = regexp.MustCompile(`=(https|unixs)://|--(peer-)?(auto-tls|cert-file)\b`)
)

// newCases puts the cases together with the flags of their servers, one server a line.
func newCases(names []string, flags string) ([]*testCase, error) {
	var cases []*testCase
	byMember := map[string][]*testCase{}
	for _, name := range names {
		c := &testCase{name: name}
		cases = append(cases, c)
		member := notInMemberName.ReplaceAllString(name, "")
		byMember[member] = append(byMember[member], c)
	}
	for line := range strings.Lines(flags) {
		name, cluster := memberName.FindStringSubmatch(line), initialCluster.FindStringSubmatch(line)
		if name == nil || cluster == nil || byMember[name[1]] == nil {
			return nil, fmt.Errorf("a server of no case: %s", line)
		}
		members, tls := 1+strings.Count(cluster[1], ","), tlsFlag.MatchString(line)
		for _, c := range byMember[name[1]] {
			// Cases that name their members alike must be alike, too.
			if c.members != 0 && (c.members != members || c.tls != tls) {
				return nil, fmt.Errorf("servers that do not fit together: %s", line)
			}
			c.members, c.tls = members, tls
		}
	}
	return cases, nil
}
