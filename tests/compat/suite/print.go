package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// out is where all of this goes; elsewhere in the tests of this program, as who counts the results of
// `go test` would count what they print.
var out io.Writer = os.Stdout

func printList(cases []*testCase) {
	for _, c := range cases {
		if c.reason == "" {
			fmt.Fprintln(out, c.name)
		} else {
			fmt.Fprintf(out, "%s (excluded: %s)\n", c.name, c.reason)
		}
	}
	printExcluded(cases)
}

// newPrinter returns what shows the end of a case in the words of `go test -v`, and what a test that
// failed had to say.
func newPrinter(cases []*testCase) func(event, string) {
	isCase := map[string]bool{}
	for _, c := range cases {
		isCase[c.name] = true
	}
	return func(e event, output string) {
		if e.Action == "fail" {
			fmt.Fprint(out, output)
		}
		if isCase[e.Test] {
			fmt.Fprintf(out, "--- %s: common/%s (%.2fs)\n", strings.ToUpper(e.Action), e.Test, e.Elapsed)
		}
	}
}

func printExcluded(cases []*testCase) {
	count := map[string]int{}
	for _, c := range cases {
		count[c.reason]++
	}
	fmt.Fprintf(out, "suite: %d cases in etcd's tests/common, %d excluded:", len(cases), len(cases)-count[""])
	for i, reason := range reasons {
		fmt.Fprintf(out, "%s %s %d", map[bool]string{true: ","}[i > 0], reason, count[reason])
	}
	fmt.Fprintln(out)
}

// verdict returns how a case counts. To skip itself a case needs a reason that has nothing to do with
// the server under test, so it must do so before it starts one.
func verdict(c *testCase, result string) string {
	if result == "skip" && c.members > 0 {
		fmt.Fprintf(out, "--- FAIL: common/%s (it skipped itself after a look at the server)\n", c.name)
		return "fail"
	}
	return result
}

// summary prints the totals and returns whether all went well: every case that is not excluded has a
// result, unless only some were asked for, and nothing failed, the suite as a whole included.
func summary(cases []*testCase, found results, some bool) bool {
	count := map[string]int{}
	for _, c := range cases {
		if c.reason != "" {
			continue
		}
		result := verdict(c, found[c.name])
		count[result]++
		if result == "" && !some {
			fmt.Fprintf(out, "--- FAIL: common/%s (it did not run)\n", c.name)
		}
	}
	failed := count["fail"]
	if !some {
		failed += count[""]
	}
	if failed == 0 && found[""] != "pass" {
		fmt.Fprintln(out, "--- FAIL: common (the suite as a whole)")
		failed++
	}
	printExcluded(cases)
	fmt.Fprintf(out, "suite: %d run: %d passed, %d skipped by the suite itself, %d failed\n",
		count["pass"]+count["skip"]+count["fail"], count["pass"], count["skip"], failed)
	return failed == 0
}
