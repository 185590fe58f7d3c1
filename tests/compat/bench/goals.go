package main

import "fmt"

// Goal is a bound on one median: kvorum's own value, or its ratio to the reference's.
type Goal struct {
	Workload string
	Metric   Metric
	Own      bool    // the bound is for kvorum's value, not for the ratio
	AtLeast  bool    // the bound is a lower one
	Bound    float64 // a ratio, or in the metric's unit
}

var goals = []Goal{
	{Workload: "put-1000", Metric: CPUPerOp, Bound: 0.6},
	{Workload: "put-1000", Metric: OpsPerSecond, AtLeast: true, Bound: 1},
	{Workload: "get-1", Metric: P50, Bound: 1},
	{Workload: "get-1000", Metric: CPUPerOp, Bound: 0.6},
	{Workload: "list", Metric: PeakGrowth, Bound: 0.5},
	{Workload: "restart", Metric: Took, Bound: 0.4},
	{Workload: "compaction", Metric: Pause, Own: true, Bound: 50},
	{Workload: "defragmentation", Metric: Pause, Own: true, Bound: 50},
}

// Outcome is a goal with what was measured.
type Outcome struct {
	Workload string  `json:"workload"`
	Metric   Metric  `json:"metric"`
	Own      bool    `json:"own_value"` // else the ratio
	AtLeast  bool    `json:"at_least"`  // else at most
	Bound    float64 `json:"bound"`
	Measured float64 `json:"measured"`
	Met      bool    `json:"met"`
}

// judge holds the report's medians against the goals; a goal whose workload did not run is left out.
func judge(r *Report) []Outcome {
	var outcomes []Outcome
	for _, goal := range goals {
		line := r.line(goal.Workload)
		if line == nil {
			continue
		}
		sample := line.Ratio
		if goal.Own {
			sample = line.Kvorum.Median
		}
		measured, ok := sample[goal.Metric]
		if !ok {
			continue
		}
		met := measured <= goal.Bound
		if goal.AtLeast {
			met = measured >= goal.Bound
		}
		outcomes = append(outcomes, Outcome{goal.Workload, goal.Metric, goal.Own, goal.AtLeast, goal.Bound,
			measured, met})
	}
	return outcomes
}

func (o Outcome) String() string {
	verdict, relation, unit := "missed", "<=", "x"
	if o.Met {
		verdict = "met"
	}
	if o.AtLeast {
		relation = ">="
	}
	if o.Own {
		unit = ""
	}
	return fmt.Sprintf("%-6s  %s %s: %.2f%s, to be %s %g%s", verdict, o.Workload, o.Metric, o.Measured, unit,
		relation, o.Bound, unit)
}
