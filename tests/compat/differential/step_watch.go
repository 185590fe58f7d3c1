package differential

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// watch returns the stream of a slot, opened if it is not.
func (m *member) watch(ctx context.Context, slot int) (*watchStream, error) {
	if m.watches[slot] != nil {
		return m.watches[slot], nil
	}
	w, err := m.openWatch()
	if err != nil {
		return nil, err
	}
	m.watches[slot] = w
	_, err = w.create(ctx, &pb.WatchCreateRequest{Key: []byte(sentinelKey), WatchId: sentinelID})
	return w, err
}

func (w *watchStream) create(ctx context.Context, request *pb.WatchCreateRequest) (*pb.WatchResponse, error) {
	from := w.count()
	if err := w.Send(createRequest(request)); err != nil {
		return nil, err
	}
	return w.await(ctx, from, func(r *pb.WatchResponse) bool { return r.Created })
}

// watchCreate makes a watch and, if it starts in the past, waits until it has caught up or was told
// why it cannot: later compactions would tell it another reason.
type watchCreate struct {
	slot    int
	request *pb.WatchCreateRequest
}

func (c watchCreate) String() string {
	return fmt.Sprintf("stream %d: watch {%s}", c.slot, short(c.request))
}

func (c watchCreate) do(ctx context.Context, m *member) answer {
	w, err := m.watch(ctx, c.slot)
	if err != nil {
		return failed(err)
	}
	start := c.request.StartRevision
	past := start > 0 && start <= m.revision && c.slot != distantSlot
	if past {
		// After one more write, a late answer to an earlier question about progress is known by its
		// revision.
		if err := m.advance(ctx, max(w.future, m.revision+1)); err != nil {
			return failed(err)
		}
	}
	from := w.count()
	created, err := w.create(ctx, c.request)
	if err != nil {
		return failed(err)
	}
	m.sawHeader(created)
	if !created.Canceled {
		w.ids = append(w.ids, created.WatchId)
		if c.slot != distantSlot {
			w.future = max(w.future, start)
		}
	}
	a := answered(created)
	if past && !created.Canceled {
		canceled, err := w.settle(ctx, from, m.revision)
		if err == nil && canceled.Canceled {
			a.Messages = append(a.Messages, canceled)
			// It would keep the stream from answering requests for progress.
			canceled, err = w.cancelWatch(ctx, created.WatchId)
			a.Messages = append(a.Messages, canceled)
		}
		a.Error = errorText(err)
	}
	return a
}

// advance writes to a key of our own until the store has a revision.
func (m *member) advance(ctx context.Context, revision int64) error {
	for m.revision < revision {
		put, err := pb.NewKVClient(m.conn).Put(ctx, &pb.PutRequest{Key: []byte(sentinelKey)})
		if err != nil {
			return err
		}
		m.sawHeader(put)
	}
	return nil
}

func (w *watchStream) cancelWatch(ctx context.Context, id int64) (*pb.WatchResponse, error) {
	known := slices.Index(w.ids, id)
	from := w.count()
	if err := w.Send(cancelRequest(id)); err != nil || known < 0 {
		return nil, err
	}
	w.ids = slices.Delete(w.ids, known, known+1)
	return w.await(ctx, from, func(r *pb.WatchResponse) bool {
		return r.Canceled && !r.Created && r.WatchId == id
	})
}

type watchCancel struct {
	slot int
	id   int64
}

func (c watchCancel) String() string { return fmt.Sprintf("stream %d: cancel %d", c.slot, c.id) }

func (c watchCancel) do(ctx context.Context, m *member) answer {
	w, err := m.watch(ctx, c.slot)
	if err != nil {
		return failed(err)
	}
	// What is on its way when a watch is canceled may be sent or not. Where nothing can be written,
	// nothing is on its way.
	if m.advance(ctx, m.revision+1) == nil {
		if err := w.reach(ctx, m.revision); err != nil {
			return failed(err)
		}
	}
	canceled, err := w.cancelWatch(ctx, c.id)
	if err != nil || canceled == nil { // of an unknown watch nothing is said
		return failed(err)
	}
	return answered(canceled)
}

// watchClose ends a stream. What it had to say and nobody has compared is forgotten.
type watchClose struct{ slot int }

func (c watchClose) String() string { return fmt.Sprintf("stream %d: close", c.slot) }

func (c watchClose) do(_ context.Context, m *member) answer {
	if w := m.watches[c.slot]; w != nil {
		w.cancel()
		m.watches[c.slot] = nil
	}
	return answer{}
}

// barrier waits until every stream has said all there is to say, and answers with it.
type barrier struct{}

func (barrier) String() string { return "all streams say what there is" }

func (barrier) do(ctx context.Context, m *member) (a answer) {
	last := m.revision + 1
	for _, w := range m.watches {
		if w != nil {
			last = max(last, w.future)
		}
	}
	// The sentinel of the distant slot tells of the second write. All there is of the first came before.
	err := m.advance(ctx, last+1)
	for slot, w := range m.watches {
		if w == nil || err != nil {
			continue
		}
		if slot == distantSlot {
			err = w.reach(ctx, last+1)
		} else {
			_, err = w.settle(ctx, w.count(), last+1)
		}
		a.Messages = append(a.Messages, w.told(last)...)
	}
	a.Error = errorText(err)
	return a
}

// reach waits until the stream has told of our own key at a revision, and with it of all before.
func (w *watchStream) reach(ctx context.Context, revision int64) error {
	_, err := w.await(ctx, 0, func(r *pb.WatchResponse) bool {
		return r.WatchId == sentinelID && lastRevision(r) >= revision
	})
	return err
}

func lastRevision(r *pb.WatchResponse) int64 {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[len(r.Events)-1].Kv.ModRevision
}

// told takes what the stream has said of revisions up to `last`, watch by watch: between watches
// there is no order. Answers about progress are not in: how many there are is a matter of time. So
// is how many revisions a watch that lags is told at once, and of which one the header speaks; what
// one of the past has missed kvorum reads 4 MiB at a time, the reference a thousand revisions.
func (w *watchStream) told(last int64) (told []proto.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var now, later []*pb.WatchResponse
	for _, r := range w.responses {
		if lastRevision(r) > last {
			later = append(later, r)
		} else if !isProgress(r) {
			now = append(now, r)
		}
	}
	w.responses = later
	slices.SortStableFunc(now, func(a, b *pb.WatchResponse) int {
		return cmp.Or(cmp.Compare(refused(a), refused(b)), cmp.Compare(a.WatchId, b.WatchId))
	})
	var begun []*pb.WatchResponse // fragments of one that has not ended
	for _, r := range now {
		switch {
		case len(r.Events) == 0:
			told = append(told, r)
		case r.Fragment:
			begun = append(begun, r)
		default:
			told = append(told, byRevision(append(begun, r))...)
			begun = nil
		}
	}
	return append(told, byRevision(begun)...)
}

// byRevision splits a response, which came in these fragments, into one for each revision. So it is
// still seen if the events of a revision come in two responses.
func byRevision(fragments []*pb.WatchResponse) (split []proto.Message) {
	var current *pb.WatchResponse
	for _, r := range fragments {
		for _, event := range r.Events {
			if current == nil || lastRevision(current) != event.Kv.ModRevision {
				header := proto.Clone(r.Header).(*pb.ResponseHeader)
				header.Revision = 0
				current = &pb.WatchResponse{Header: header, WatchId: r.WatchId}
				split = append(split, current)
			}
			current.Events = append(current.Events, event)
		}
	}
	return split
}

// refused is 1 for an answer about a watch that was not made: it has the number of none, -1, which a
// watch may have that was made.
func refused(r *pb.WatchResponse) int {
	if r.Created && r.Canceled {
		return 1
	}
	return 0
}
