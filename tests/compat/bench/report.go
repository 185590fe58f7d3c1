package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what the JSON file holds.
type Report struct {
	Started   time.Time `json:"started"`
	Minutes   float64   `json:"minutes"`
	Rounds    int       `json:"rounds"` // that were run, all of them to the end
	Versions  []string  `json:"versions"`
	CPUs      int       `json:"cpus"`
	Kernel    string    `json:"kernel"`
	Sizes     Sizes     `json:"sizes"`
	Workloads []*Line   `json:"workloads"`
	Goals     []Outcome `json:"goals"`
}

// Line is one workload on both servers.
type Line struct {
	Name   string `json:"name"`
	Etcd   Runs   `json:"etcd"`
	Kvorum Runs   `json:"kvorum"`
	Ratio  Sample `json:"ratio"` // of the medians, kvorum's to etcd's
}

// Runs is one workload on one server.
type Runs struct {
	Samples []Sample `json:"samples"`
	Median  Sample   `json:"median"`
	Errors  []string `json:"errors,omitempty"`
}

func newReport(p Plan) *Report {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	report := &Report{Started: time.Now(), CPUs: runtime.NumCPU(), Sizes: p.Sizes,
		Kernel: strings.TrimSpace(string(kernel))}
	for _, session := range p.selected() {
		for _, workload := range session {
			report.Workloads = append(report.Workloads, &Line{Name: workload.Name})
		}
	}
	return report
}

func (r *Report) add(workload, side string, sample Sample, err error) {
	line := r.line(workload)
	runs := &line.Kvorum
	if side == "etcd" {
		runs = &line.Etcd
	}
	if err != nil {
		runs.Errors = append(runs.Errors, err.Error())
		return
	}
	runs.Samples = append(runs.Samples, sample)
}

func (r *Report) line(workload string) *Line {
	for _, line := range r.Workloads {
		if line.Name == workload {
			return line
		}
	}
	return nil
}

func (r *Report) summarise() {
	for _, line := range r.Workloads {
		line.Etcd.Median = median(line.Etcd.Samples)
		line.Kvorum.Median = median(line.Kvorum.Samples)
		line.Ratio = ratio(line.Kvorum.Median, line.Etcd.Median)
	}
	r.Goals = judge(r)
}

// FirstFailure returns the first error of a workload, if there was one.
func (r *Report) FirstFailure() error {
	for _, line := range r.Workloads {
		for side, runs := range map[string]Runs{"etcd": line.Etcd, "kvorum": line.Kvorum} {
			if len(runs.Errors) > 0 {
				return fmt.Errorf("%s on %s: %s", line.Name, side, runs.Errors[0])
			}
		}
	}
	return nil
}

// WriteTable prints the medians, the ratios and the goals.
func (r *Report) WriteTable(w io.Writer) {
	fmt.Fprintf(w, "%s\nmedians of %d rounds, %d CPUs, Linux %s, %.1f minutes\n\n",
		strings.Join(r.Versions, "; "), r.Rounds, r.CPUs, r.Kernel, r.Minutes)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "workload\tserver\t")
	for _, metric := range metrics {
		fmt.Fprintf(table, "%s\t", metric)
	}
	fmt.Fprintln(table)
	for _, line := range r.Workloads {
		writeRow(table, line.Name, "etcd", line.Etcd.Median, "")
		writeRow(table, "", "kvorum", line.Kvorum.Median, "")
		writeRow(table, "", "ratio", line.Ratio, "x")
	}
	table.Flush()
	fmt.Fprintln(w, "\nGoals:")
	for _, outcome := range r.Goals {
		fmt.Fprintf(w, "  %s\n", outcome)
	}
}

func writeRow(w io.Writer, workload, server string, sample Sample, suffix string) {
	fmt.Fprintf(w, "%s\t%s\t", workload, server)
	for _, metric := range metrics {
		cell := "-"
		if value, ok := sample[metric]; ok {
			cell = threeDigits(value) + suffix
		}
		fmt.Fprintf(w, "%s\t", cell)
	}
	fmt.Fprintln(w)
}

// threeDigits prints no more digits than the machine repeats, and no exponent.
func threeDigits(value float64) string {
	decimals := 0
	if abs := math.Abs(value); abs > 0 && abs < 100 {
		decimals = min(3, 2-int(math.Floor(math.Log10(abs))))
	}
	return fmt.Sprintf("%.*f", decimals, value)
}
