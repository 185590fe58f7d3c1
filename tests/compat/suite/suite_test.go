package main

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	out = io.Discard
	os.Exit(m.Run())
}

func names(cases []*testCase) map[string]string {
	reasons := map[string]string{}
	for _, c := range cases {
		reasons[c.name] = c.reason
	}
	return reasons
}

func TestOnlyTestsWithoutSubtestsAreCases(t *testing.T) {
	got := leaves([]byte(`
{"Action":"run","Test":"TestA"}
{"Action":"fail","Test":"TestA/x/y"}
{"Action":"fail","Test":"TestA/x"}
{"Action":"skip","Test":"TestA/z"}
{"Action":"fail","Test":"TestA"}
not json, of a build that warns
{"Action":"pass","Test":"TestB"}
{"Action":"fail"}
`))
	if diff := cmp.Diff([]string{"TestA/x/y", "TestA/z", "TestB"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlagsTellTLSAndMembers(t *testing.T) {
	cases, err := newCases([]string{"TestA/one:1", "TestA/one://1", "TestB", "TestC", "TestD"}, strings.Join([]string{
		"--name=TestAone1-test-0 --listen-client-urls=unix://localhost:1 --initial-cluster=a=http://h:1",
		"--name=TestAone1-test-0 --listen-client-urls=unix://localhost:1 --initial-cluster=a=http://h:1",
		"--name=TestB-test-0 --initial-cluster=a=http://h:1,b=http://h:2,c=http://h:3",
		"--name=TestC-test-0 --initial-cluster=a=https://h:1,b=https://h:2",
		"--name=TestD-test-0 --cert-file c.pem --initial-cluster=a=http://h:1",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := exclude(cases, ""); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"TestA/one:1": "", "TestA/one://1": "", "TestB": "", "TestC": "tls", "TestD": "tls",
	}
	if diff := cmp.Diff(want, names(cases)); diff != "" {
		t.Error(diff)
	}
}

func TestServersThatFitNoCaseAreAnError(t *testing.T) {
	for _, line := range []string{
		"--name=TestB-test-0 --x --initial-cluster=a=http://h:1",
		"--name=TestA-test-0 --x",
		"--name=TestA-test-0 --x --initial-cluster=a=http://h:1,b=http://h:2\n" +
			"--name=TestA-test-0 --x --initial-cluster=a=http://h:1",
	} {
		if _, err := newCases([]string{"TestA"}, line); err == nil {
			t.Errorf("accepted: %s", line)
		}
	}
}

func newTestCases() []*testCase {
	return []*testCase{
		{name: "TestA/x", members: 1}, {name: "TestA/y", members: 3, tls: true}, {name: "TestAB", members: 1}, {name: "TestC"},
	}
}

func TestTableExcludesATestWithItsSubtests(t *testing.T) {
	cases := newTestCases()
	if err := exclude(cases, "# comment\n\nauth TestA\ntls TestC\n"); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"TestA/x": "auth", "TestA/y": "tls", "TestAB": "", "TestC": "tls"}
	if diff := cmp.Diff(want, names(cases)); diff != "" {
		t.Error(diff)
	}
}

func TestTableIsHeldToTheList(t *testing.T) {
	for name, table := range map[string]string{
		"no such test":     "auth TestX",
		"excluded anyway":  "auth TestA/y",
		"part of a name":   "auth TestA/",
		"no reason":        "flaky TestA",
		"excluded already": "auth TestA\ntls TestA/x",
	} {
		if exclude(newTestCases(), table) == nil {
			t.Errorf("%s: accepted %q", name, table)
		}
	}
}

func TestSkipPatternLeavesOutNothingElse(t *testing.T) {
	pattern := skipPattern([]*testCase{
		{name: `TestA/Size:_1,_"http://a[:p]"`, reason: "tls"}, {name: "TestA/y"}, {name: "TestB", reason: "auth"},
	})
	want := `^TestA$/^Size:_1,_"http:$/^$/^a\[:p\]"$|^TestB$`
	if pattern != want {
		t.Errorf("got  %s\nwant %s", pattern, want)
	}
	for _, element := range strings.FieldsFunc(pattern, func(r rune) bool { return r == '/' || r == '|' }) {
		if _, err := regexp.Compile(element); err != nil {
			t.Error(err)
		}
	}
}

func TestSummaryWantsAResultOfEveryCase(t *testing.T) {
	cases := []*testCase{{name: "TestA", members: 1}, {name: "TestB"}, {name: "TestC", reason: "auth"}}
	for name, test := range map[string]struct {
		found results
		some  bool
		ok    bool
	}{
		"all passed":        {found: results{"TestA": "pass", "TestB": "skip", "": "pass"}, ok: true},
		"one gave up":       {found: results{"TestA": "skip", "TestB": "skip", "": "pass"}},
		"one failed":        {found: results{"TestA": "pass", "TestB": "fail", "": "fail"}},
		"one did not run":   {found: results{"TestA": "pass", "": "pass"}},
		"one of some":       {found: results{"TestA": "pass", "": "pass"}, some: true, ok: true},
		"leaked goroutines": {found: results{"TestA": "pass", "TestB": "pass", "": "fail"}},
		"did not build":     {found: results{"": "fail"}, some: true},
	} {
		if got := summary(cases, test.found, test.some); got != test.ok {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestOutputOfATestIsReportedAtItsEnd(t *testing.T) {
	var reported []string
	found, err := collect(json.NewDecoder(strings.NewReader(`
{"Action":"output","Test":"TestA","Output":"one\n"}
{"Action":"output","Test":"TestB","Output":"other\n"}
{"Action":"output","Test":"TestA","Output":"two\n"}
{"Action":"fail","Test":"TestA"}
{"Action":"fail"}
`)), func(e event, output string) { reported = append(reported, e.Test+": "+output) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"TestA: one\ntwo\n", ": "}, reported); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(results{"TestA": "fail", "": "fail"}, found); diff != "" {
		t.Error(diff)
	}
}
