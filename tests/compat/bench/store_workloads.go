package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	fillBatch   = 100 // puts in a transaction; the servers allow 128 operations
	fillWorkers = 16
	putWorkers  = 256
)

func storeKey(i int) string { return fmt.Sprintf("store/%09d", i) }

// list reads all keys in one request. It fills the store first, for itself and those after it.
func list(ctx context.Context, b *Bed) (Sample, error) {
	if err := fill(ctx, b); err != nil {
		return nil, err
	}
	client, err := b.Server.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return withUsage(b.Server, b.Sizes.Lists, func() (Sample, error) {
		var took []time.Duration
		for range b.Sizes.Lists {
			begin := time.Now()
			response, err := client.Get(ctx, "", clientv3.WithPrefix())
			if err != nil {
				return nil, err
			}
			took = append(took, time.Since(begin))
			if len(response.Kvs) != b.Sizes.Keys {
				return nil, fmt.Errorf("the list has %d keys of %d", len(response.Kvs), b.Sizes.Keys)
			}
		}
		return latencies(took), nil
	})
}

// compaction drops the superseded revisions, and the call returns when they are off the disk.
func compaction(ctx context.Context, b *Bed) (Sample, error) {
	if err := supersede(ctx, b); err != nil {
		return nil, err
	}
	return besidePuts(ctx, b, func(client *clientv3.Client) error {
		response, err := client.Get(ctx, storeKey(0), clientv3.WithCountOnly())
		if err == nil {
			_, err = client.Compact(ctx, response.Header.Revision, clientv3.WithCompactPhysical())
		}
		return err
	})
}

func defragmentation(ctx context.Context, b *Bed) (Sample, error) {
	return besidePuts(ctx, b, func(client *clientv3.Client) error {
		_, err := client.Defragment(ctx, b.Server.Addr())
		return err
	})
}

// restart counts from the start of the process to its first answer. The time to stop is not counted.
func restart(ctx context.Context, b *Bed) (Sample, error) {
	if err := b.Server.Stop(); err != nil {
		return nil, err
	}
	took, err := b.Server.Start(ctx)
	if err != nil {
		return nil, err
	}
	cpu, err := b.Server.CPU()
	if err != nil {
		return nil, err
	}
	peakMiB, err := b.Server.PeakMiB()
	return Sample{Took: milliseconds(took), CPUPerOp: cpu.Seconds() * 1e6, PeakMemory: peakMiB}, err
}

func fill(ctx context.Context, b *Bed) error {
	value := string(make([]byte, b.Sizes.ValueBytes))
	batches := (b.Sizes.Keys + fillBatch - 1) / fillBatch
	return forEach(ctx, b, batches, fillWorkers, func(client *clientv3.Client, batch int) error {
		var ops []clientv3.Op
		for i := batch * fillBatch; i < min((batch+1)*fillBatch, b.Sizes.Keys); i++ {
			ops = append(ops, clientv3.OpPut(storeKey(i), value))
		}
		_, err := client.Txn(ctx).Then(ops...).Commit()
		return err
	})
}

// supersede overwrites keys spread over the whole store, one revision each.
func supersede(ctx context.Context, b *Bed) error {
	value := string(make([]byte, b.Sizes.ValueBytes))
	step := max(1, b.Sizes.Keys/b.Sizes.Superseded)
	return forEach(ctx, b, b.Sizes.Superseded, putWorkers, func(client *clientv3.Client, i int) error {
		_, err := client.Put(ctx, storeKey(i*step%b.Sizes.Keys), value)
		return err
	})
}

// forEach calls do with each of [0, count), on several workers of one connection, until one fails.
func forEach(ctx context.Context, b *Bed, count, workers int, do func(*clientv3.Client, int) error) error {
	client, err := b.Server.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < count && failure.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(client, i); err != nil {
					failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	running.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}
