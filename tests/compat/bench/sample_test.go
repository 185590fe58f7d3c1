package main

import (
	"maps"
	"testing"
	"time"
)

func TestMedianIsTakenForEachMetricByItself(t *testing.T) {
	got := median([]Sample{{P50: 3, Slowest: 10}, {P50: 1, Slowest: 30}, {P50: 2}})
	if want := (Sample{P50: 2, Slowest: 20}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := median(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestRatioLeavesOutWhatCannotBeDivided(t *testing.T) {
	got := ratio(Sample{P50: 1, P99: 5, Slowest: 2, Pause: 4}, Sample{P50: 2, Slowest: 0, Pause: 8})
	if want := (Sample{P50: 0.5}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLatenciesHaveThePercentilesTheirNumberAllows(t *testing.T) {
	var thousandAndOne []time.Duration
	for ms := 1001; ms >= 1; ms-- {
		thousandAndOne = append(thousandAndOne, time.Duration(ms)*time.Millisecond)
	}
	for _, c := range []struct {
		of   []time.Duration
		want Sample
	}{
		{thousandAndOne, Sample{P50: 501, P99: 991, P999: 1000, Slowest: 1001}},
		{thousandAndOne[:3], Sample{P50: 1000, Slowest: 1001}},
		{thousandAndOne[:1], Sample{P50: 1001, Slowest: 1001}},
		{nil, Sample{}},
	} {
		if got := latencies(c.of); !maps.Equal(got, c.want) {
			t.Errorf("of %d: got %v, want %v", len(c.of), got, c.want)
		}
	}
}
