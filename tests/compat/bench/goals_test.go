package main

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// reportOf holds one run of one workload on each server.
func reportOf(workload string, etcd, kvorum Sample) *Report {
	report := newReport(Plan{Only: regexp.MustCompile("^" + workload + "$")})
	report.add(workload, "etcd", etcd, nil)
	report.add(workload, "kvorum", kvorum, nil)
	report.summarise()
	return report
}

func TestGoalsAreJudgedByRatioOrByOwnValue(t *testing.T) {
	for _, c := range []struct {
		workload     string
		etcd, kvorum Sample
		metric       Metric
		met          bool
	}{
		{"put-1000", Sample{CPUPerOp: 50}, Sample{CPUPerOp: 30}, CPUPerOp, true},
		{"put-1000", Sample{CPUPerOp: 50}, Sample{CPUPerOp: 31}, CPUPerOp, false},
		{"put-1000", Sample{OpsPerSecond: 50}, Sample{OpsPerSecond: 50}, OpsPerSecond, true},
		{"put-1000", Sample{OpsPerSecond: 50}, Sample{OpsPerSecond: 49}, OpsPerSecond, false},
		{"compaction", Sample{Pause: 1}, Sample{Pause: 50}, Pause, true},
		{"compaction", Sample{Pause: 900}, Sample{Pause: 51}, Pause, false},
		{"compaction", Sample{Pause: -1}, Sample{Pause: -2}, Pause, true},
	} {
		outcomes := reportOf(c.workload, c.etcd, c.kvorum).Goals
		if len(outcomes) != 1 || outcomes[0].Metric != c.metric || outcomes[0].Met != c.met {
			t.Errorf("%s %v against %v: got %v, want one, met %v", c.workload, c.kvorum, c.etcd, outcomes, c.met)
		}
	}
}

func TestEveryGoalNamesAWorkload(t *testing.T) {
	report := newReport(Plan{})
	for _, goal := range goals {
		if report.line(goal.Workload) == nil {
			t.Errorf("no workload is called %s", goal.Workload)
		}
	}
}

func TestATableShowsBothServersAndWhatCouldNotBeMeasured(t *testing.T) {
	report := reportOf("restart", Sample{Took: 2000}, Sample{Took: 250.4})
	var out strings.Builder
	report.WriteTable(&out)
	for _, want := range []string{"restart", "2000", "250", "0.125x", "met     restart took_ms: 0.13x"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if report.FirstFailure() != nil {
		t.Error(report.FirstFailure())
	}
	report.add("restart", "kvorum", nil, errors.New("ended while starting"))
	if err := report.FirstFailure(); err == nil || !strings.Contains(err.Error(), "restart on kvorum") {
		t.Errorf("got %v", err)
	}
}

func TestNumbersArePrintedWithThreeDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.00012: "0.000", 0.0512: "0.051", 0.1234: "0.123", 1.234: "1.23", 99.96: "100.0",
		123.4: "123", 31234.5: "31234", -2.5: "-2.50"} {
		if got := threeDigits(value); got != want {
			t.Errorf("%v: got %q, want %q", value, got, want)
		}
	}
}
