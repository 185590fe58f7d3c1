package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A put that has not succeeded by then fails the workload.
const putPatience = time.Minute

// besidePuts runs operation beside a steady stream of puts, and then as long a stream without it. The
// latencies are those of the puts beside it, the CPU time is what operation cost beyond the puts.
func besidePuts(ctx context.Context, b *Bed, operation func(*clientv3.Client) error) (Sample, error) {
	client, err := b.Server.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	stream := putStream{client: client, sizes: b.Sizes}
	var took time.Duration
	beside, err := measuredStream(ctx, b, &stream, b.Sizes.Window, func() error {
		begin := time.Now()
		err := operation(client)
		took = time.Since(begin)
		return err
	})
	if err != nil {
		return nil, err
	}
	alone, err := measuredStream(ctx, b, &stream, stream.lasted, nil)
	if err != nil {
		return nil, err
	}
	beside[CPUPerOp] = max(0, beside[CPUPerOp]-alone[CPUPerOp])
	beside[Took] = milliseconds(took)
	beside[Pause] = beside[Slowest] - alone[Slowest]
	return beside, nil
}

func measuredStream(ctx context.Context, b *Bed, stream *putStream, atLeast time.Duration,
	meanwhile func() error) (Sample, error) {
	return withUsage(b.Server, 1, func() (Sample, error) {
		puts, err := stream.run(ctx, atLeast, meanwhile)
		if err != nil {
			return nil, err
		}
		sample := latencies(puts)
		sample[OpsPerSecond] = float64(len(puts)) / stream.lasted.Seconds()
		return sample, nil
	})
}

// putStream overwrites keys of the store, each put at its due time, no matter whether those before it
// have returned: a pause is met by all puts that fall due in it, as with independent clients.
type putStream struct {
	client *clientv3.Client
	sizes  Sizes
	lasted time.Duration // of the last run, to its last answer

	running   sync.WaitGroup
	mu        sync.Mutex
	latencies []time.Duration
	failures  []error
}

// run puts for the time given, and on until meanwhile, if there is one, has returned. Latencies count
// from the due time.
func (p *putStream) run(ctx context.Context, atLeast time.Duration,
	meanwhile func() error) ([]time.Duration, error) {
	p.latencies, p.failures = nil, nil
	finished := make(chan error, 1)
	if meanwhile == nil {
		finished <- nil
	} else {
		go func() { finished <- meanwhile() }()
	}
	begin := time.Now()
	interval := time.Second / time.Duration(p.sizes.PutRate)
	clock := time.NewTicker(interval)
	defer clock.Stop()
	due := begin
	var err error
	for pending := true; pending || time.Since(begin) < atLeast; {
		select {
		case err = <-finished:
			pending = false
		case <-clock.C: // which leaves out what a busy machine was late for; the due times do not
			for ; !due.After(time.Now()); due = due.Add(interval) {
				thisDue := due
				p.running.Go(func() { p.put(ctx, thisDue) })
			}
		}
	}
	p.running.Wait()
	p.lasted = time.Since(begin)
	return p.latencies, errors.Join(append(p.failures, err)...)
}

// put tries again when the server gives up on it, as it does when it pauses for longer than its own
// patience: whoever needs the key written has to wait for the end of the pause all the same.
func (p *putStream) put(ctx context.Context, due time.Time) {
	key, value := storeKey(rand.IntN(p.sizes.Keys)), string(make([]byte, p.sizes.ValueBytes))
	_, err := p.client.Put(ctx, key, value)
	for err != nil && ctx.Err() == nil && time.Since(due) < putPatience {
		_, err = p.client.Put(ctx, key, value)
	}
	latency := time.Since(due)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latencies = append(p.latencies, latency)
	if err != nil && len(p.failures) == 0 {
		p.failures = append(p.failures, err)
	}
}
