package main

import (
	"maps"
	"strings"
	"testing"
)

// As the generator prints it, the histogram shortened.
const summary = `bench with linearizable range

Summary:
  Total:	0.755246 secs.
  Slowest:	0.125 secs.
  Fastest:	9.8e-05 secs.
  Average:	0.0005 secs.
  Stddev:	0.0011 secs.
  Requests/sec:	1324.0717

Response time histogram:
  9.8e-05 [1]	|
  0.0128892 [990]	|∎∎∎∎∎∎∎∎

Latency distribution:
  10% in 0.00011 secs.
  50% in 0.00025 secs.
  99% in 0.004 secs.
  99.9% in 6.25e-02 secs.
`

func TestSummaryGivesTheRateAndThePercentiles(t *testing.T) {
	got, err := parseSummary(summary)
	want := Sample{OpsPerSecond: 1324.0717, P50: 0.25, P99: 4, P999: 62.5, Slowest: 125}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestSummaryMayLackAHighPercentile(t *testing.T) {
	short, _, _ := strings.Cut(summary, "  99.9%")
	got, err := parseSummary(short)
	if _, there := got[P999]; err != nil || there || got[P99] != 4 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSummaryWithFailedOperationsIsAnError(t *testing.T) {
	_, err := parseSummary(summary + "\nError distribution:\n  [3]\tetcdserver: too many requests\n")
	if err == nil || !strings.Contains(err.Error(), "[3] etcdserver: too many requests") {
		t.Errorf("got %v", err)
	}
}

func TestOutputWithoutASummaryIsAnError(t *testing.T) {
	for _, output := range []string{"", "bench with linearizable range\n", strings.Replace(summary, "1324.0717", "1,324", 1)} {
		if got, err := parseSummary(output); err == nil {
			t.Errorf("%q gives %v", output, got)
		}
	}
}
