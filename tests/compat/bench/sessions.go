package main

import (
	"context"
	"fmt"
	"strconv"
)

// Workload is one line of the report.
type Workload struct {
	Name string
	Run  func(context.Context, *Bed) (Sample, error)
}

// Session is a sequence of workloads on one server that starts empty. The later ones count on what the
// first one put there, so a session is run as a whole.
type Session []Workload

// Bed is what a workload runs on: a server that answers, and how much to do.
type Bed struct {
	Server    *Server
	Generator string // path of etcd's load generator
	Sizes     Sizes
}

func sessions() []Session {
	return []Session{
		{{"put-1", oneClient("put", puts...)}},
		{{"put-1000", manyClients("put", puts...)}},
		{{"txn-put-1000", manyClients("txn-put", txnPuts...)}},
		{
			{"get-1", oneClientGet("l")},
			{"get-1000", manyClientsGet("l")},
			{"get-serializable-1", oneClientGet("s")},
			{"get-serializable-1000", manyClientsGet("s")},
		},
		{
			{"keepalive-1", oneClient("lease-keepalive")},
			{"keepalive-1000", manyClients("lease-keepalive")},
		},
		{
			{"list", list},
			{"compaction", compaction},
			{"defragmentation", defragmentation},
			{"restart", restart},
		},
	}
}

// Sequential keys, so that both servers get the same.
var (
	puts    = []string{"--key-size=8", "--val-size=256", "--key-space-size=100000", "--sequential-keys"}
	txnPuts = []string{"--key-size=8", "--val-size=256", "--key-space-size=100000", "--txn-ops=1"}
)

func oneClient(verb string, args ...string) func(context.Context, *Bed) (Sample, error) {
	return func(ctx context.Context, b *Bed) (Sample, error) {
		return calls(ctx, b, b.Sizes.OneClient, 1, 1, append([]string{verb}, args...))
	}
}

func manyClients(verb string, args ...string) func(context.Context, *Bed) (Sample, error) {
	return func(ctx context.Context, b *Bed) (Sample, error) {
		s := b.Sizes
		return calls(ctx, b, s.ManyClients, s.Clients, s.Conns, append([]string{verb}, args...))
	}
}

func oneClientGet(consistency string) func(context.Context, *Bed) (Sample, error) {
	return withTarget(oneClient("range", readTarget, "--consistency="+consistency))
}

func manyClientsGet(consistency string) func(context.Context, *Bed) (Sample, error) {
	return withTarget(manyClients("range", readTarget, "--consistency="+consistency))
}

const readTarget = "target"

func withTarget(run func(context.Context, *Bed) (Sample, error)) func(context.Context, *Bed) (Sample, error) {
	return func(ctx context.Context, b *Bed) (Sample, error) {
		client, err := b.Server.Connect(ctx)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		if _, err := client.Put(ctx, readTarget, string(make([]byte, 256))); err != nil {
			return nil, err
		}
		return run(ctx, b)
	}
}

// calls has the load generator make total calls, and adds what they cost the server.
func calls(ctx context.Context, b *Bed, total, clients, conns int, args []string) (Sample, error) {
	args = append(args, "--total="+strconv.Itoa(total), "--clients="+strconv.Itoa(clients),
		"--conns="+strconv.Itoa(conns))
	return withUsage(b.Server, total, func() (Sample, error) { return generate(ctx, b, args...) })
}

// withUsage adds to run's sample the server's CPU time for each of its operations, and its memory.
func withUsage(s *Server, operations int, run func() (Sample, error)) (Sample, error) {
	residentMiB, err := s.ResetPeak()
	if err != nil {
		return nil, err
	}
	before, err := s.CPU()
	if err != nil {
		return nil, err
	}
	sample, err := run()
	if err != nil {
		return nil, err
	}
	after, err := s.CPU()
	if err != nil {
		return nil, fmt.Errorf("the server has ended: %w", err)
	}
	peakMiB, err := s.PeakMiB()
	if err != nil {
		return nil, err
	}
	sample[CPUPerOp] = (after - before).Seconds() * 1e6 / float64(operations)
	sample[PeakMemory], sample[PeakGrowth] = peakMiB, peakMiB-residentMiB
	return sample, nil
}
