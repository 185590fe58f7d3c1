package differential

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

const (
	// Watch streams of a run. The last one has watches of a future that never comes, and only such as
	// start now: it answers no request for progress.
	watchSlots  = 4
	distantSlot = watchSlots - 1

	// Every stream has this watch of a key of our own.
	sentinelID  = int64(1) << 40
	sentinelKey = "~barrier"

	// A request for progress that was not answered is asked again after this.
	progressPatience = 50 * time.Millisecond
)

// watchStream is a watch stream with all it has said and nobody has compared yet.
type watchStream struct {
	grpc.BidiStreamingClient[pb.WatchRequest, pb.WatchResponse]
	cancel context.CancelFunc
	// The latest revision a watch of the stream waits for. Until it is there, the stream answers no
	// request for progress.
	future int64
	ids    []int64 // of watches that are not canceled

	mu        sync.Mutex
	responses []*pb.WatchResponse
	err       error
	changed   chan struct{} // closed at the next change
}

func (m *member) openWatch() (*watchStream, error) {
	ctx, cancel := context.WithCancel(m.streams)
	stream, err := pb.NewWatchClient(m.conn).Watch(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	w := &watchStream{BidiStreamingClient: stream, cancel: cancel, changed: make(chan struct{})}
	go w.receive()
	return w, nil
}

func (w *watchStream) receive() {
	for {
		response, err := w.Recv()
		w.mu.Lock()
		if err == nil {
			w.responses = append(w.responses, response)
		} else {
			w.err = err
		}
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// count says how many responses there are.
func (w *watchStream) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.responses)
}

// await returns the first response from number `from` on that is wanted.
func (w *watchStream) await(ctx context.Context, from int, wanted func(*pb.WatchResponse) bool) (*pb.WatchResponse, error) {
	for {
		w.mu.Lock()
		if i := slices.IndexFunc(w.responses[from:], wanted); i >= 0 {
			defer w.mu.Unlock()
			return w.responses[from+i], nil
		}
		err, changed := w.err, w.changed
		from = len(w.responses)
		w.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("the watch stream says nothing more: %w", ctx.Err())
		}
	}
}

func isProgress(r *pb.WatchResponse) bool {
	return r.WatchId == -1 && len(r.Events) == 0 && !r.Created && !r.Canceled
}

// settle returns when all watches have been sent all there is, or one was canceled since response
// number `from`, which is the response then. The stream waits for no future revision.
func (w *watchStream) settle(ctx context.Context, from int, revision int64) (*pb.WatchResponse, error) {
	for {
		if err := w.Send(progressRequest()); err != nil {
			return nil, err
		}
		patience, cancel := context.WithTimeout(ctx, progressPatience)
		response, err := w.await(patience, from, func(r *pb.WatchResponse) bool {
			return r.Canceled && !r.Created || isProgress(r) && r.Header.Revision >= revision
		})
		cancel()
		if err == nil || ctx.Err() != nil || w.failed() {
			return response, err
		}
	}
}

func (w *watchStream) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}

func progressRequest() *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{
		ProgressRequest: &pb.WatchProgressRequest{}}}
}

func createRequest(r *pb.WatchCreateRequest) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}}
}

func cancelRequest(id int64) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{
		CancelRequest: &pb.WatchCancelRequest{WatchId: id}}}
}
