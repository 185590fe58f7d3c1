package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum/tests/compat/peers"
)

// The two HTTP pages this server has answer like the original's.
func TestHTTPPagesAnswerAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	for _, c := range []struct{ method, path string }{
		{"GET", "/version"}, {"GET", "/health"}, {"GET", "/health?serializable=true"}, {"GET", "/health?exclude=NOSPACE"},
		{"POST", "/version"}, {"PUT", "/health"}, {"GET", "/nothing"},
	} {
		var shown [2]string
		for i, s := range servers {
			shown[i] = fetch(t, s, c.method, c.path)
		}
		if shown[0] != shown[1] {
			t.Errorf("%s %s: %s says %q, %s says %q", c.method, c.path, servers[0].Name, shown[0], servers[1].Name, shown[1])
		}
	}
}

func fetch(t *testing.T, s *peers.Server, method, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(withTimeout(t), method, "http://"+s.Addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s %s", response.Status, response.Header.Get("Content-Type"), response.Header.Get("Allow"), body)
}

// Bytes that are no request, and clients that vanish, leave the server in service.
func TestGarbageOnThePortLeavesTheServerAlive(t *testing.T) {
	s := peers.StartKvorum(t)
	for _, garbage := range []string{
		"\x00", "garbage\r\n\r\n", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\xff\xff\x04\x00\x00\x00\x00\x00",
		strings.Repeat("A", 1<<16),
	} {
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, garbage)
		conn.Close()
	}
	// A watch whose client goes in mid-stream.
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		client := s.Client(t)
		watch, err := pb.NewWatchClient(client.ActiveConnection()).Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := watch.Send(watchCreate(&pb.WatchCreateRequest{Key: []byte("k"), PrevKv: true})); err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		client.Close()
		cancel()
	}
	mustCtl(t, s, "put k v")
	mustCtl(t, s, "get k")
}

// Start-up is refused with the original's words and exit code.
func TestBadFlagsAreRefusedAlike(t *testing.T) {
	for _, flags := range [][]string{
		{"--nonsense"}, {"--listen-client-urls=bad"}, {"--listen-client-urls=http://127.0.0.1:x"}, {"positional"},
		{"--heartbeat-interval=abc"}, {"--quota-backend-bytes=x"}, {"--initial-cluster-state=maybe"},
		{"--initial-cluster=foo=http://127.0.0.1:20380", "--name=bar"}, {"--heartbeat-interval=100", "--election-timeout=200"},
		{"--listen-client-urls=http://127.0.0.1:20399"}, {"--listen-peer-urls=ftp://127.0.0.1:20380"},
		{"--election-timeout=60000", "--heartbeat-interval=100"}, {"--advertise-client-urls=http://"},
	} {
		t.Run(strings.ReplaceAll(strings.Join(flags, " "), "/", "|"), func(t *testing.T) {
			want := refusal(t, peers.Tool(t, "etcd"), flags)
			got := refusal(t, peers.Kvorum(t), flags)
			// We may say in front of an error where it happened.
			for i := range min(len(want.Said), len(got.Said)) {
				if strings.HasSuffix(got.Said[i], ": "+want.Said[i]) {
					got.Said[i] = want.Said[i]
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs (- reference, + kvorum):\n%s", diff)
			}
		})
	}
}

type refusalShown struct {
	Status int
	Said   []string // the first line, or what the log gives as errors
}

func refusal(t *testing.T, binary string, flags []string) refusalShown {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(flags, "--data-dir="+filepath.Join(t.TempDir(), "data"))...)
	cmd.Env = []string{}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v starts", binary, flags)
	}
	shown := refusalShown{Status: cmd.ProcessState.ExitCode()}
	for line := range strings.Lines(stderr.String()) {
		var entry struct{ Level, Msg, Error string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			shown.Said = append(shown.Said, strings.TrimSpace(line))
			break
		}
		if entry.Error != "" && !slices.Contains(shown.Said, entry.Error) {
			shown.Said = append(shown.Said, entry.Error)
		}
	}
	return shown
}
