package differential

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"kvorum/tests/compat/peers"
)

const versionPoll = 20 * time.Millisecond

// member is one server with the connection and the streams a run has to it.
type member struct {
	*peers.Server
	conn     *grpc.ClientConn
	revision int64 // the latest an answer told of

	cancel    context.CancelFunc // ends the streams
	streams   context.Context
	keepAlive grpc.BidiStreamingClient[pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse]
	watches   [watchSlots]*watchStream
}

// connect says nothing to the server yet.
func connect(t testing.TB, s *peers.Server) *member {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.Addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		t.Fatalf("connecting to %s: %v", s.Name, err)
	}
	m := &member{Server: s, conn: conn}
	m.streams, m.cancel = context.WithCancel(context.Background())
	return m
}

// awaitStorageVersion waits for what a new reference does some time after it serves: it raises the
// version of its storage to its own.
func (m *member) awaitStorageVersion(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	tick := time.NewTicker(versionPoll)
	defer tick.Stop()
	for ; ; <-tick.C {
		status, err := pb.NewMaintenanceClient(m.conn).Status(ctx, &pb.StatusRequest{})
		if err != nil {
			t.Fatalf("%s has no storage version: %v", m.Name, err)
		}
		if status.StorageVersion == "3.7.0" {
			return
		}
	}
}

func (m *member) close() {
	m.cancel()
	m.conn.Close()
}

// sawHeader keeps the revision of an answer's header.
func (m *member) sawHeader(response proto.Message) {
	if r, ok := response.(interface{ GetHeader() *pb.ResponseHeader }); ok {
		m.revision = max(m.revision, r.GetHeader().GetRevision())
	}
}

// renew asks on the one keepalive stream of the run, and opens it if it has none.
func (m *member) renew(id int64) (*pb.LeaseKeepAliveResponse, error) {
	if m.keepAlive == nil {
		stream, err := pb.NewLeaseClient(m.conn).LeaseKeepAlive(m.streams)
		if err != nil {
			return nil, err
		}
		m.keepAlive = stream
	}
	if err := m.keepAlive.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
		return nil, err
	}
	response, err := m.keepAlive.Recv()
	if err != nil {
		m.keepAlive = nil
	}
	return response, err
}

// get fetches a page of the client port.
func (m *member) get(ctx context.Context, method, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+m.Addr+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%s, %s: %s", response.Status, response.Header.Get("Content-Type"), body), err
}
