// Bench compares kvorum with etcd v3.7.1 on one machine in one run: ./dev bench calls it.
//
// Every round runs each session of workloads (sessions.go) on a fresh server of each kind, one after
// the other, never both at once; which goes first changes from round to round, so that a machine that
// gets slower over time favours neither. What is reported is the median over the rounds and the ratio
// of the medians. On a shared machine only the ratios and the CPU time per operation mean much.
//
// Calls are driven by etcd's own load generator, what it lacks by clientv3. A server's CPU time and
// memory are read from /proc, so this runs on Linux only.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"kvorum/tests/compat/peers"
)

const quickBudget = 10 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	plan, jsonPath, err := parseFlags(args)
	if err != nil {
		return err
	}
	report, err := plan.Execute(ctx)
	if err != nil {
		return err
	}
	report.WriteTable(os.Stdout)
	encoded, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(jsonPath, append(encoded, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Printf("\nAll runs: %s\n", jsonPath)
	return report.FirstFailure()
}

func parseFlags(args []string) (Plan, string, error) {
	build := filepath.Join(peers.SourceRoot(), "build")
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	quick := flags.Bool("quick", false, "fewer operations, and no new round after "+quickBudget.String())
	rounds := flags.Int("rounds", 3, "how often each workload runs on each server")
	only := flags.String("run", "", "only sessions with a workload that matches this regular expression")
	kvorum := flags.String("kvorum", filepath.Join(build, "release", "kvorum"), "binary to measure")
	dir := flags.String("dir", filepath.Join(build, "bench"), "where data directories are made: on a disk")
	port := flags.Int("port", 23790, "the servers listen on this port of 127.0.0.1 and on the next")
	jsonPath := flags.String("json", filepath.Join(build, "bench.json"), "file the results are written to")
	if err := flags.Parse(args); err != nil {
		return Plan{}, "", err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return Plan{}, "", err
	}
	if *rounds < 1 || flags.NArg() > 0 {
		return Plan{}, "", fmt.Errorf("--rounds %d, arguments %q: at least one round, no arguments",
			*rounds, flags.Args())
	}
	plan := Plan{Sizes: fullSizes, Rounds: *rounds, Only: pattern, Dir: *dir, Port: *port, Progress: os.Stderr,
		Generator: peers.ToolPath("benchmark"), Reference: peers.ToolPath("etcd"), Kvorum: *kvorum}
	if *quick {
		plan.Sizes, plan.Budget = quickSizes, quickBudget
	}
	return plan, *jsonPath, nil
}
