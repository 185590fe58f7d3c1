package main

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kvorum/tests/compat/peers"
)

var tinySizes = Sizes{
	OneClient: 50, ManyClients: 400, Clients: 20, Conns: 4,
	Keys: 1000, ValueBytes: 512, Lists: 3, Superseded: 500,
	PutRate: 200, Window: 300 * time.Millisecond,
}

// What every workload has to measure, whatever it came to.
var expected = map[string][]Metric{
	"list":            {P50, Slowest, CPUPerOp, PeakMemory, PeakGrowth},
	"compaction":      {OpsPerSecond, P50, Slowest, CPUPerOp, PeakMemory, PeakGrowth, Took, Pause},
	"defragmentation": {OpsPerSecond, P50, Slowest, CPUPerOp, PeakMemory, PeakGrowth, Took, Pause},
	"restart":         {CPUPerOp, PeakMemory, Took},
}

var expectedOfCalls = []Metric{OpsPerSecond, P50, Slowest, CPUPerOp, PeakMemory, PeakGrowth}

// smokePort stays below the ports of the tests in the other packages, which may run meanwhile.
func smokePort() int { return 20000 + 2*rand.IntN(190) }

func TestEveryWorkloadRunsOnBothServers(t *testing.T) {
	plan := Plan{Sizes: tinySizes, Rounds: 1, Dir: t.TempDir(), Port: smokePort(), Progress: t.Output(),
		Generator: peers.Tool(t, "benchmark"), Reference: peers.Tool(t, "etcd"), Kvorum: peers.Kvorum(t)}
	report, err := plan.Execute(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range report.Workloads {
		metrics := expectedOfCalls
		if special, ok := expected[line.Name]; ok {
			metrics = special
		}
		checkRuns(t, line.Name+" on etcd", line.Etcd, metrics)
		checkRuns(t, line.Name+" on kvorum", line.Kvorum, metrics)
	}
	if left, err := os.ReadDir(plan.Dir); err != nil || len(left) > 0 {
		t.Errorf("left in the directory of data: %v, %v", left, err)
	}
}

func checkRuns(t *testing.T, what string, runs Runs, metrics []Metric) {
	if len(runs.Errors) > 0 {
		t.Errorf("%s: %s", what, runs.Errors[0])
		return
	}
	for _, metric := range metrics {
		if _, ok := runs.Median[metric]; !ok {
			t.Errorf("%s: no %s in %v", what, metric, runs.Median)
		}
	}
	for _, metric := range []Metric{P50, Slowest, PeakMemory, Took} {
		if value, ok := runs.Median[metric]; ok && value <= 0 {
			t.Errorf("%s: %s is %v", what, metric, value)
		}
	}
}

func TestAServerThatDoesNotStartIsReported(t *testing.T) {
	impostor := filepath.Join(t.TempDir(), "kvorum")
	if err := os.WriteFile(impostor, []byte("#!/bin/sh\necho kvorum of nothing\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	plan := Plan{Sizes: tinySizes, Rounds: 1, Dir: t.TempDir(), Port: smokePort(), Progress: t.Output(),
		Generator: peers.Tool(t, "benchmark"), Reference: peers.Tool(t, "etcd"), Kvorum: impostor,
		Only: regexp.MustCompile("^put-1$")}
	report, err := plan.Execute(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := report.FirstFailure(); err == nil || !strings.Contains(err.Error(), "ended while starting") {
		t.Errorf("got %v", err)
	}
	plan.Kvorum = "/bin/echo"
	if _, err := plan.Execute(context.Background()); err == nil {
		t.Error("a program that is not kvorum was measured")
	}
}
