package compat

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum/tests/compat/peers"
)

// A request to one of a server's HTTP ports.
type httpRequest struct {
	method string
	path   string
	header http.Header // "Host" among them
}

// withMetricsPort starts one of each server, with a metrics port, and returns the addresses of those.
func withMetricsPort(t *testing.T, flags ...string) (servers [2]*peers.Server, metrics [2]string) {
	t.Helper()
	for i, start := range []func(testing.TB, ...string) *peers.Server{peers.StartReference, peers.StartKvorum} {
		metrics[i] = peers.FreeAddr(t)
		servers[i] = start(t, append([]string{"--listen-metrics-urls=http://" + metrics[i]}, flags...)...)
	}
	return servers, metrics
}

// answerTo sends a request and renders what of the answer has to be equal.
func answerTo(t *testing.T, addr string, request httpRequest) string {
	t.Helper()
	req, err := http.NewRequestWithContext(withTimeout(t), request.method, "http://"+addr+request.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range request.header {
		if name == "Host" {
			req.Host = values[0]
		} else {
			req.Header[name] = values
		}
	}
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", request.method, request.path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", request.method, request.path, err)
	}
	var text strings.Builder
	fmt.Fprintln(&text, resp.Status)
	for _, name := range []string{"Allow", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Content-Encoding", "Content-Type", "X-Content-Type-Options"} {
		if values := resp.Header.Values(name); len(values) > 0 {
			fmt.Fprintf(&text, "%s: %q\n", name, values)
		}
	}
	if !strings.HasPrefix(request.path, "/metrics") || resp.StatusCode != http.StatusOK {
		text.WriteString(sortedChecks(string(body)))
	}
	return text.String()
}

// The original runs checks in the order of a Go map.
func sortedChecks(body string) string {
	lines := strings.SplitAfter(body, "\n")
	checks := 0
	for checks < len(lines) && strings.HasPrefix(lines[checks], "[") {
		checks++
	}
	slices.Sort(lines[:checks])
	return strings.Join(lines, "")
}

func compareAnswers(t *testing.T, addrs [2]string, requests []httpRequest) {
	t.Helper()
	for _, request := range requests {
		want, got := answerTo(t, addrs[0], request), answerTo(t, addrs[1], request)
		if want != got {
			t.Errorf("%s %s %v\nreference:\n%s\nkvorum:\n%s", request.method, request.path, request.header, want, got)
		}
	}
}

func clientAddrs(servers [2]*peers.Server) [2]string {
	return [2]string{servers[0].Addr, servers[1].Addr}
}

func gets(paths ...string) []httpRequest {
	var requests []httpRequest
	for _, path := range paths {
		requests = append(requests, httpRequest{method: "GET", path: path})
	}
	return requests
}

var checkPaths = []string{
	"/health", "/health?serializable=true", "/health?serializable=false", "/health?serializable=TRUE",
	"/health?exclude=NOSPACE", "/health?exclude=NOSPACE&exclude=CORRUPT", "/health?exclude=", "/health/",
	"/livez", "/livez?verbose", "/livez?verbose=false", "/livez?exclude=serializable_read&verbose",
	"/livez?exclude=nosuch&verbose", "/livez/serializable_read", "/livez/serializable_read?verbose",
	"/livez/serializable_read?exclude=serializable_read&verbose", "/livez/linearizable_read", "/livez/",
	"/readyz", "/readyz?verbose", "/readyz?verbose&exclude=non_learner&exclude=data_corruption",
	"/readyz/data_corruption", "/readyz/serializable_read", "/readyz/linearizable_read?verbose",
	"/readyz/non_learner", "/readyz/nosuch",
}

func TestHTTPAnswers(t *testing.T) {
	servers, metrics := withMetricsPort(t)
	paths := append(slices.Clone(checkPaths), "/metrics", "/metrics?x=y", "/metrics/", "/version", "/version/",
		"/debug/vars/", "/debug", "/debug/pprof/", "/", "/nosuch", "/v2/keys", "/config/local/log", "/v3alpha/kv/range")
	requests := gets(paths...)
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
		for _, path := range []string{"/health", "/livez", "/readyz/non_learner", "/metrics", "/version", "/debug/vars",
			"/nosuch"} {
			requests = append(requests, httpRequest{method: method, path: path})
		}
	}
	for _, encoding := range []string{"gzip", "identity", "gzip;q=0", "deflate, gzip;q=0.5", "*", "br"} {
		requests = append(requests,
			httpRequest{"GET", "/metrics", http.Header{"Accept-Encoding": {encoding}}},
			httpRequest{"GET", "/health", http.Header{"Accept-Encoding": {encoding}}})
	}
	t.Run("client port", func(t *testing.T) { compareAnswers(t, clientAddrs(servers), requests) })
	t.Run("metrics port", func(t *testing.T) { compareAnswers(t, metrics, requests) })
}

// What both publish is of the same form, and about the process that is asked.
func TestHTTPVars(t *testing.T) {
	type vars struct {
		Cmdline             []string
		FileDescriptorLimit uint64 `json:"file_descriptor_limit"`
		Memstats            struct{ Sys uint64 }
		RaftStatus          struct {
			ID, Lead, RaftState   string
			Term, Commit, Applied uint64
		} `json:"raft.status"`
	}
	var shown [2]vars
	for i, s := range peers.StartBoth(t) {
		resp, err := http.Get("http://" + s.Addr + "/debug/vars")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "application/json; charset=utf-8" {
			t.Errorf("%s: %s, %s", s.Name, resp.Status, kind)
		}
		if err := json.NewDecoder(resp.Body).Decode(&shown[i]); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		v := &shown[i]
		status, err := s.Client(t).Status(withTimeout(t), s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if id := fmt.Sprintf("%x", status.Header.MemberId); v.RaftStatus.ID != id || v.RaftStatus.Lead != id {
			t.Errorf("%s: raft.status of member %s is %+v", s.Name, id, v.RaftStatus)
		}
		if v.RaftStatus.Term != status.RaftTerm || v.RaftStatus.Commit == 0 || v.RaftStatus.Commit > status.RaftIndex ||
			v.RaftStatus.Applied == 0 || v.RaftStatus.Applied > status.RaftAppliedIndex {
			t.Errorf("%s: raft.status is %+v beside the status %v", s.Name, v.RaftStatus, status)
		}
		if !slices.ContainsFunc(v.Cmdline, func(arg string) bool { return strings.Contains(arg, s.Addr) }) {
			t.Errorf("%s: cmdline is %q", s.Name, v.Cmdline)
		}
		if v.Memstats.Sys < 1<<20 {
			t.Errorf("%s: memstats is %+v", s.Name, v.Memstats)
		}
	}
	if shown[0].FileDescriptorLimit != shown[1].FileDescriptorLimit || shown[0].RaftStatus.RaftState != shown[1].RaftStatus.RaftState {
		t.Errorf("reference: %+v\nkvorum: %+v", shown[0], shown[1])
	}
}

func TestHTTPAccess(t *testing.T) {
	servers, metrics := withMetricsPort(t, "--host-whitelist=127.0.0.1,a.b,localhost", "--cors=http://x:1,https://y:2")
	var requests []httpRequest
	for _, host := range []string{"", "127.0.0.1", "a.b", "a.b:99", "A.B", "evil.com", "evil.com:80", "[::1]", "[::1]:1", "a.b:1:2"} {
		for _, path := range []string{"/health", "/nosuch"} {
			requests = append(requests, httpRequest{"GET", path, http.Header{"Host": {host}}})
		}
	}
	for _, origin := range []string{"http://x:1", "https://y:2", "http://x", "HTTP://x:1", "*", ""} {
		for _, method := range []string{"GET", "OPTIONS"} {
			requests = append(requests, httpRequest{method, "/health", http.Header{"Host": {"a.b"}, "Origin": {origin}}})
		}
	}
	t.Run("client port", func(t *testing.T) { compareAnswers(t, clientAddrs(servers), requests) })
	t.Run("metrics port", func(t *testing.T) { compareAnswers(t, metrics, requests) })
}

func TestHTTPChecksUnderAlarm(t *testing.T) {
	for _, alarm := range []pb.AlarmType{pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT} {
		t.Run(alarm.String(), func(t *testing.T) {
			servers, metrics := withMetricsPort(t)
			for _, s := range servers {
				setAlarm(t, s, pb.AlarmRequest_ACTIVATE, alarm)
			}
			paths := append(slices.Clone(checkPaths), "/health?exclude="+alarm.String(),
				"/health?serializable=true&exclude="+alarm.String(), "/readyz?exclude=data_corruption")
			compareAnswers(t, clientAddrs(servers), gets(paths...))
			compareAnswers(t, metrics, gets(paths...))
			for _, s := range servers {
				setAlarm(t, s, pb.AlarmRequest_DEACTIVATE, alarm)
			}
			compareAnswers(t, clientAddrs(servers), gets("/health", "/readyz?verbose"))
		})
	}
}

func setAlarm(t *testing.T, s *peers.Server, action pb.AlarmRequest_AlarmAction, alarm pb.AlarmType) {
	t.Helper()
	maintenance := pb.NewMaintenanceClient(s.Client(t).ActiveConnection())
	if _, err := maintenance.Alarm(withTimeout(t), &pb.AlarmRequest{Action: action, Alarm: alarm}); err != nil {
		t.Fatalf("alarm %v of %s: %v", action, s.Name, err)
	}
}
