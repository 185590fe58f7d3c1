package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	pollInterval = 20 * time.Millisecond

	// Every server advertises this to its peers, and none has any: equal URL, equal member id.
	advertisedPeerURL = "http://127.0.0.1:20380"
)

// Binaries that did not start on an empty directory, with the reason: each further test would wait in
// vain.
var unusable sync.Map

// Server is one member, on 127.0.0.1, with its data in a directory of the test.
type Server struct {
	Name    string // for messages: "reference" or "kvorum"
	DataDir string
	Addr    string // host:port clients connect to
	PeerURL string // what members of a Cluster reach it by

	t      testing.TB
	binary string
	args   []string
	logs   *logBuffer
	starts int
	cmd    *exec.Cmd
	exited chan error
}

// StartReference starts etcd v3.7.1. Extra flags are appended to those every server gets.
func StartReference(t testing.TB, flags ...string) *Server {
	t.Helper()
	return start(t, "reference", Tool(t, "etcd"), flags)
}

// StartKvorum starts the binary under test.
func StartKvorum(t testing.TB, flags ...string) *Server {
	t.Helper()
	return start(t, "kvorum", Kvorum(t), flags)
}

// StartBoth starts one of each, with equal flags.
func StartBoth(t testing.TB, flags ...string) [2]*Server {
	t.Helper()
	return [2]*Server{StartReference(t, flags...), StartKvorum(t, flags...)}
}

func start(t testing.TB, name, binary string, flags []string) *Server {
	t.Helper()
	s := newServer(t, name, binary, append([]string{
		"--name=m1", "--initial-advertise-peer-urls=" + advertisedPeerURL,
		"--initial-cluster=m1=" + advertisedPeerURL, "--initial-cluster-token=compat",
	}, flags...))
	s.Start()
	return s
}

// newServer returns a server with ports and a directory of its own, to be started with these flags.
func newServer(t testing.TB, name, binary string, flags []string) *Server {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s := &Server{Name: name, DataDir: dir, t: t, binary: binary, logs: &logBuffer{}}
	s.Addr, s.PeerURL = freeAddr(t), "http://"+freeAddr(t)
	client := "http://" + s.Addr
	s.args = append([]string{
		"--data-dir=" + dir, "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + s.PeerURL,
	}, flags...)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", s.Name, s.logs.tail(6))
		}
	})
	return s
}

// Start runs the server on its directory, a used one after Stop or Kill, and returns when it serves
// and has published its name and the cluster's version.
func (s *Server) Start() {
	s.t.Helper()
	s.launch()
	s.waitReady()
}

// launch starts the process.
func (s *Server) launch() {
	s.t.Helper()
	if s.cmd != nil {
		s.t.Fatalf("%s runs already", s.Name)
	}
	if why, ok := unusable.Load(s.binary); ok {
		s.t.Fatalf("%s did not start before: %s", s.Name, why)
	}
	cmd := exec.Command(s.binary, s.args...)
	cmd.Stdout, cmd.Stderr = s.logs, s.logs
	// A test process that dies takes its servers with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("starting %s: %v", s.Name, err)
	}
	s.starts++
	s.cmd, s.exited = cmd, make(chan error, 1)
	go func() { s.exited <- cmd.Wait() }()
}

// AddFlags gives further flags to the next start; of equal ones the last counts.
func (s *Server) AddFlags(flags ...string) { s.args = append(s.args, flags...) }

func (s *Server) waitReady() {
	s.t.Helper()
	deadline := time.After(startTimeout)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for why := ""; ; {
		select {
		case err := <-s.exited:
			s.cmd = nil
			s.giveUpIfFresh(err)
			s.t.Fatalf("%s ended while starting: %v\n%s", s.Name, err, s.logs.tail(6))
		case <-deadline:
			s.giveUpIfFresh(why)
			s.t.Fatalf("%s is not ready after %v: %s\n%s", s.Name, startTimeout, why, s.logs.tail(6))
		case <-tick.C:
			if why = s.notReady(); why == "" {
				return
			}
		}
	}
}

func (s *Server) giveUpIfFresh(why any) {
	if s.starts == 1 {
		unusable.Store(s.binary, why)
	}
}

// notReady says what is missing for the server to be ready, or nothing.
func (s *Server) notReady() string {
	var health, version map[string]any
	if err := s.getJSON("/health", &health); err != nil {
		return err.Error()
	}
	if health["health"] != "true" {
		return fmt.Sprintf("/health says %v", health)
	}
	if err := s.getJSON("/version", &version); err != nil {
		return err.Error()
	}
	if version["etcdcluster"] != "3.7.0" {
		return fmt.Sprintf("/version says %v", version)
	}
	return ""
}

func (s *Server) getJSON(path string, into any) error {
	client := http.Client{Timeout: time.Second}
	resp, err := client.Get("http://" + s.Addr + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// Stop asks the server to end and fails the test if it does not, or not with status 0. Both servers
// end a SIGTERM by the same signal's default action, which counts as 0 here.
func (s *Server) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatalf("stopping %s: %v", s.Name, err)
	}
	select {
	case err := <-s.exited:
		state := s.cmd.ProcessState
		s.cmd = nil
		status := state.Sys().(syscall.WaitStatus)
		if !state.Success() && !(status.Signaled() && status.Signal() == syscall.SIGTERM) {
			s.t.Errorf("%s ended with %v", s.Name, err)
		}
	case <-time.After(stopTimeout):
		s.Kill()
		s.t.Fatalf("%s did not end within %v", s.Name, stopTimeout)
	}
}

// Kill ends the server at once, as kill -9 does.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Client returns a connection that lasts as long as the test.
func (s *Server) Client(t testing.TB) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{s.Addr},
		DialTimeout: 10 * time.Second,
		Logger:      zap.NewNop(), // what fails is the test's to report
	})
	if err != nil {
		t.Fatalf("connecting to %s: %v", s.Name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Addresses that were given to a server of this process, which may not listen yet, or not at the moment.
var givenAddrs sync.Map

// freeAddr returns an address nobody listens on, below the range the kernel hands out by itself, and
// never the same twice.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20400+rand.IntN(12000))
		if _, given := givenAddrs.LoadOrStore(addr, true); given {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// logBuffer keeps what a server prints; the process writes while the test reads.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// tail returns the last lines that are more than information.
func (b *logBuffer) tail(lines int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var kept []string
	for line := range strings.Lines(b.buf.String()) {
		if !strings.Contains(line, `"level":"info"`) && !strings.Contains(line, `"level":"debug"`) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-lines):], "")
}
