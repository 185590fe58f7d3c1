package compat

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kvorum/tests/compat/peers"
)

const watchTimeout = 20 * time.Second

// watchSession is an `etcdctl watch` that runs.
type watchSession struct {
	t     testing.TB
	s     *peers.Server
	stdin io.Writer
	lines chan string
}

func startWatch(t testing.TB, s *peers.Server, args ...string) *watchSession {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := ctlCommand(ctx, t, s, append([]string{"watch"}, args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &watchSession{t: t, s: s, stdin: stdin, lines: make(chan string, 10000)}
	go func() {
		defer close(w.lines)
		for sc := bufio.NewScanner(stdout); sc.Scan(); {
			w.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range w.lines { // until the process has gone
		}
		cmd.Wait()
	})
	return w
}

// until returns the lines up to and with the first that contains `last`.
func (w *watchSession) until(last string) []string {
	w.t.Helper()
	var lines []string
	deadline := time.After(watchTimeout)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("watch on %s ended before %q; it printed %q", w.s.Name, last, lines)
			}
			lines = append(lines, mask(w.s, line))
			if strings.Contains(line, last) {
				return lines
			}
		case <-deadline:
			w.t.Fatalf("watch on %s did not print %q; it printed %q", w.s.Name, last, lines)
		}
	}
}

func (w *watchSession) command(line string) {
	w.t.Helper()
	if _, err := io.WriteString(w.stdin, line+"\n"); err != nil {
		w.t.Fatal(err)
	}
}

// mustCtl runs a call that has to succeed and whose output does not matter.
func mustCtl(t testing.TB, s *peers.Server, line string) {
	t.Helper()
	if r := ctl(t, s, "", strings.Fields(line)...); r.Status != 0 {
		t.Fatalf("etcdctl %s on %s: %+v", line, s.Name, r)
	}
}

// Watches that start in the past print the same events, whatever the form.
func TestEtcdctlWatchHistory(t *testing.T) {
	servers := peers.StartBoth(t)
	for _, s := range servers {
		for _, line := range []string{"put w/a 1", "put w/b 1", "put x 1", "put w/a 2", "del w/b", "del w --prefix",
			"put w/a 3", "put w/c 1", "put w/END END"} {
			mustCtl(t, s, line)
		}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("END"))
	for _, c := range []struct{ args, last string }{
		{"w/ --prefix --rev=1", "END"},
		{"w/ --prefix --rev=4", "END"},
		{"w/ --prefix --rev=1 --prev-kv", "END"},
		{"w/ --prefix --rev=1 --prev-kv -w json", encoded},
		{"w/ --prefix --rev=5 -w json", encoded},
		{"w/ --prefix --rev=1 --prev-kv -w fields", `"END"`},
		{"w/ x --rev=1", "END"},
		{"w/END --rev=2", "END"},
	} {
		t.Run(strings.ReplaceAll(c.args, "/", "|"), func(t *testing.T) {
			var shown [2][]string
			for i, s := range servers {
				w := startWatch(t, s, strings.Fields(c.args)...)
				shown[i] = w.until(c.last)
				if c.last == "END" { // the key; its value has the same text and comes in the next line
					shown[i] = append(shown[i], w.until("END")...)
				}
			}
			if diff := cmp.Diff(shown[0], shown[1]); diff != "" {
				t.Errorf("watch %s differs (- %s, + %s):\n%s", c.args, servers[0].Name, servers[1].Name, diff)
			}
		})
	}
}

// A watch that follows what happens now, with progress asked for.
func TestEtcdctlWatchLiveAndProgress(t *testing.T) {
	servers := peers.StartBoth(t)
	var shown [2][]string
	for i, s := range servers {
		grantLeases(t, s, 600, 0x77)
		w := startWatch(t, s, "-i")
		w.command("watch p/ --prefix --prev-kv")
		// Progress is reported once the watch exists and nothing is outstanding.
		w.command("progress")
		out := w.until("progress notify")
		for _, line := range []string{"put p/a 1 --lease=77", "put other 1", "put p/a 2 --lease=77", "put p/c 3", "del p/c", "lease revoke 77"} {
			mustCtl(t, s, line)
		}
		r := ctl(t, s, "\nput p/d 1\nput p/e 2\ndel p/b\nput p/LAST v\n\n\n", "txn")
		out = append(out, r.Stdout)
		out = append(out, w.until("p/LAST")...)
		out = append(out, w.until("v")...)
		w.command("progress")
		shown[i] = append(out, w.until("progress notify")...)
	}
	if diff := cmp.Diff(shown[0], shown[1]); diff != "" {
		t.Errorf("watch differs (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

// Stopping does not wait for watches that are open, and a client that comes back misses nothing.
func TestEtcdctlWatchSurvivesARestart(t *testing.T) {
	s := peers.StartKvorum(t)
	w := startWatch(t, s, "-i")
	w.command("watch k")
	w.command("progress")
	w.until("progress notify")
	mustCtl(t, s, "put k before")
	w.until("before")
	s.Stop()
	s.Start()
	mustCtl(t, s, "put k after")
	w.until("after")
}
