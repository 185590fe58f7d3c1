package peers

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Program says what a member of a cluster runs.
type Program int

const (
	KvorumProgram Program = iota
	EtcdProgram
)

// Cluster is several members on 127.0.0.1, each of either program.
type Cluster struct {
	Members []*Server // all there ever were, in the order they were named

	t     testing.TB
	flags []string
}

// StartCluster starts one member of each program as a new cluster and returns when all serve. Every
// member, later ones too, gets the flags.
func StartCluster(t testing.TB, programs []Program, flags ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t, flags: append(flags, "--initial-cluster-token=compat")}
	for _, program := range programs {
		c.newMember(program)
	}
	list := clusterList(c.Members)
	for _, m := range c.Members {
		m.AddFlags("--initial-cluster=" + list)
		m.launch()
	}
	for _, m := range c.Members {
		m.waitReady()
	}
	return c
}

// NewMember returns a further member, not started; it has to be added to the cluster first. present
// are the members that the cluster has by then.
func (c *Cluster) NewMember(program Program, present ...*Server) *Server {
	c.t.Helper()
	m := c.newMember(program)
	m.AddFlags("--initial-cluster-state=existing", "--initial-cluster="+clusterList(append(present, m)))
	return m
}

func (c *Cluster) newMember(program Program) *Server {
	c.t.Helper()
	binary := ""
	if program == EtcdProgram {
		binary = Tool(c.t, "etcd")
	} else {
		binary = Kvorum(c.t)
	}
	name := fmt.Sprintf("m%d", len(c.Members)+1)
	m := newServer(c.t, name, binary, append([]string{"--name=" + name}, c.flags...))
	m.AddFlags("--initial-advertise-peer-urls=" + m.PeerURL)
	c.Members = append(c.Members, m)
	return m
}

func clusterList(members []*Server) string {
	var list []string
	for _, m := range members {
		list = append(list, m.Name+"="+m.PeerURL)
	}
	return strings.Join(list, ",")
}

// Client returns a connection to all of these members, which lasts as long as the test.
func (c *Cluster) Client(t testing.TB, members ...*Server) *clientv3.Client {
	t.Helper()
	var endpoints []string
	for _, m := range members {
		endpoints = append(endpoints, m.Addr)
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: endpoints, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		t.Fatalf("connecting to the cluster: %v", err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// Running says whether the process was started and has not been seen to end.
func (s *Server) Running() bool { return s.cmd != nil }

// Launch starts the process and does not wait for it to serve; WaitReady does.
func (s *Server) Launch() { s.t.Helper(); s.launch() }

// WaitReady returns when the server serves and has published its name and the cluster's version.
func (s *Server) WaitReady() { s.t.Helper(); s.waitReady() }

// Pause stops the process as it is, until Resume.
func (s *Server) Pause() { s.t.Helper(); s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.t.Helper(); s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatalf("%v to %s: %v", signal, s.Name, err)
	}
}

// WaitExit waits for the process to end by itself and returns its exit code.
func (s *Server) WaitExit() int {
	s.t.Helper()
	select {
	case <-s.exited:
		code := s.cmd.ProcessState.ExitCode()
		s.cmd = nil
		return code
	case <-time.After(startTimeout):
		s.t.Fatalf("%s does not end", s.Name)
		return 0
	}
}

// Logged returns how often a line of the server's log has this message.
func (s *Server) Logged(message string) int {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	return strings.Count(s.logs.buf.String(), fmt.Sprintf(`"msg":%q`, message))
}
