package main

import (
	"slices"
	"time"
)

// Metric names a measured quantity; the name carries the unit.
type Metric string

const (
	OpsPerSecond Metric = "ops_per_s"
	P50          Metric = "p50_ms"
	P99          Metric = "p99_ms"
	P999         Metric = "p99.9_ms"
	Slowest      Metric = "max_ms"
	CPUPerOp     Metric = "cpu_us_per_op" // the server's, user and kernel
	PeakMemory   Metric = "peak_mib"      // highest resident memory during the workload
	PeakGrowth   Metric = "growth_mib"    // the same, less the resident memory before the workload
	Took         Metric = "took_ms"       // of what is done once: compaction, defragmentation, restart
	Pause        Metric = "pause_ms"      // slowest put meanwhile, less the slowest without
)

// The order of the report's columns.
var metrics = []Metric{
	OpsPerSecond, P50, P99, P999, Slowest, CPUPerOp, PeakMemory, PeakGrowth, Took, Pause,
}

// Sample is what one run of one workload measured. A metric that has no meaning for the workload, or
// that the run was too short for, is absent.
type Sample map[Metric]float64

// median takes each metric's median over the samples that have it; of an even number, the mean of the
// two in the middle.
func median(samples []Sample) Sample {
	result := Sample{}
	for _, metric := range metrics {
		var values []float64
		for _, sample := range samples {
			if value, ok := sample[metric]; ok {
				values = append(values, value)
			}
		}
		if len(values) > 0 {
			slices.Sort(values)
			result[metric] = (values[(len(values)-1)/2] + values[len(values)/2]) / 2
		}
	}
	return result
}

// ratio divides metric by metric, where both are there and the divisor is positive. A pause is a
// difference that noise makes negative: it has no ratio.
func ratio(kvorum, reference Sample) Sample {
	result := Sample{}
	for metric, value := range kvorum {
		if divisor := reference[metric]; divisor > 0 && metric != Pause {
			result[metric] = value / divisor
		}
	}
	return result
}

// latencies summarises durations; a percentile needs enough of them to lie below the slowest.
func latencies(durations []time.Duration) Sample {
	sorted := slices.Sorted(slices.Values(durations))
	result := Sample{}
	if len(sorted) == 0 {
		return result
	}
	for metric, perMille := range map[Metric]int{P50: 500, P99: 990, P999: 999} {
		if i := len(sorted) * perMille / 1000; i < len(sorted)-1 || metric == P50 {
			result[metric] = milliseconds(sorted[i])
		}
	}
	result[Slowest] = milliseconds(sorted[len(sorted)-1])
	return result
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
