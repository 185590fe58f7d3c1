package differential

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// keepAlive renews a lease on the run's stream.
type keepAlive struct{ id int64 }

func (k keepAlive) String() string { return fmt.Sprintf("keep alive %d", k.id) }

func (k keepAlive) do(_ context.Context, m *member) answer {
	response, err := m.renew(k.id)
	if err != nil {
		return failed(err)
	}
	m.sawHeader(response)
	return answered(response)
}

// ownID takes a lease whose id the server chooses through its life: the ids differ, and so they may
// not get into rows.
type ownID struct{ ttlSeconds int64 }

func (o ownID) String() string {
	return fmt.Sprintf("a lease of %d s with an id of the server's", o.ttlSeconds)
}

func (o ownID) do(ctx context.Context, m *member) (a answer) {
	leases := pb.NewLeaseClient(m.conn)
	granted, err := leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: o.ttlSeconds})
	if err != nil {
		return failed(err)
	}
	id := granted.ID
	if id <= 0 {
		a.Text = fmt.Sprintf("the id is %d", id)
	}
	renewed, err := m.renew(id)
	if err != nil {
		return failed(err)
	}
	left, err := leases.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: id, Keys: true})
	if err != nil {
		return failed(err)
	}
	revoked, err := leases.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: id})
	if err != nil {
		return failed(err)
	}
	if renewed.ID != id || left.ID != id {
		a.Text += fmt.Sprintf("granted %d, renewed %d, asked for %d", id, renewed.ID, left.ID)
	}
	granted.ID, renewed.ID, left.ID = 0, 0, 0
	a.Messages = answered(granted, renewed, left, revoked).Messages
	return a
}

// expiry waits until a lease is over by itself, and its keys with it.
type expiry struct {
	id   int64
	keys []string
}

const expiryPoll = 20 * time.Millisecond

func (e expiry) String() string {
	return fmt.Sprintf("lease %d expires with the keys %q", e.id, e.keys)
}

func (e expiry) do(ctx context.Context, m *member) (a answer) {
	leases, kv := pb.NewLeaseClient(m.conn), pb.NewKVClient(m.conn)
	// 1 s is less than the least: what is granted is told.
	granted, err := leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: e.id, TTL: 1})
	if err != nil {
		return failed(err)
	}
	a.Messages = append(a.Messages, granted)
	for _, key := range e.keys {
		put, err := kv.Put(ctx, &pb.PutRequest{Key: []byte(key), Lease: e.id})
		if err != nil {
			return failed(err)
		}
		m.sawHeader(put)
		a.Messages = append(a.Messages, put)
	}
	tick := time.NewTicker(expiryPoll)
	defer tick.Stop()
	for ; ; <-tick.C {
		left, err := leases.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: e.id, Keys: true})
		if err != nil {
			return failed(err)
		}
		if left.TTL < 0 && left.GrantedTTL == 0 {
			m.sawHeader(left)
			a.Messages = append(a.Messages, left)
			return a
		}
	}
}
