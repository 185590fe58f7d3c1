package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	startTimeout = 2 * time.Minute
	stopTimeout  = time.Minute
	quotaBytes   = 8 << 30
)

// Server is one member on 127.0.0.1. Both kinds get the same flags.
type Server struct {
	binary string
	dir    string
	port   int
	cmd    *exec.Cmd
	exited chan error
}

func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *Server) flags() []string {
	client, peer := "http://"+s.Addr(), fmt.Sprintf("http://127.0.0.1:%d", s.port+1)
	return []string{
		"--name=bench", "--data-dir=" + filepath.Join(s.dir, "data"),
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=bench=" + peer, fmt.Sprintf("--quota-backend-bytes=%d", quotaBytes),
	}
}

// Start starts the server on its directory and returns once it answered a linearizable read, with
// the time from one to the other.
func (s *Server) Start(ctx context.Context) (time.Duration, error) {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, s.flags()...)
	cmd.Env = []string{} // no ETCD_* of the user's
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	s.cmd, s.exited = cmd, make(chan error, 1)
	go func() { s.exited <- cmd.Wait() }()
	err = s.awaitRead(ctx)
	return time.Since(begin), err
}

func (s *Server) awaitRead(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	read := make(chan error, 1)
	go func() {
		client, err := s.Connect(ctx)
		if err == nil {
			defer client.Close()
			_, err = client.Get(ctx, "ready")
		}
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			return fmt.Errorf("%s does not answer: %w: see %s", s.binary, err, s.logPath())
		}
		return nil
	case err := <-s.exited:
		s.cmd = nil
		return fmt.Errorf("%s ended while starting: %w: see %s", s.binary, err, s.logPath())
	}
}

// Connect returns a client that tries again at once where the default would wait for a second: it
// would measure its own waiting otherwise.
func (s *Server) Connect(ctx context.Context) (*clientv3.Client, error) {
	const retry = 2 * time.Millisecond
	eager := grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: retry, Multiplier: 1, MaxDelay: retry},
		MinConnectTimeout: startTimeout,
	}
	return clientv3.New(clientv3.Config{
		Context: ctx, Endpoints: []string{s.Addr()}, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(eager)},
	})
}

// Stop ends the server as a service manager does: by SIGTERM, and by SIGKILL if that does not help.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	defer func() { s.cmd = nil }()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("%s did not stop within %v", s.binary, stopTimeout)
	}
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }
