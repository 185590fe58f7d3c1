package compat

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

// What the reference shows and kvorum does not, by name or its beginning, and why.
var absentMetrics = map[string]string{
	"go_":                    "of the Go runtime",
	"etcd_server_go_version": "of the Go runtime",
}

// What only kvorum shows.
var ownMetrics = map[string]string{
	"kvorum_build_info": "its own version",
}

// Labelled series that need not be the same.
var unequalSeries = map[string]string{
	"etcd_server_request_duration_seconds": "compared by values below, less the cluster's own requests",
	"etcd_server_apply_duration_seconds":   "likewise",
}

type metricFamilies map[string]*dto.MetricFamily

func scrape(t testing.TB, addr string) metricFamilies {
	t.Helper()
	req, err := http.NewRequestWithContext(withTimeout(t), http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatalf("the text of %s does not parse: %v", addr, err)
	}
	return families
}

func hasReason(table map[string]string, name string) bool {
	for prefix := range table {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func seriesName(m *dto.Metric) string {
	var labels []string
	for _, label := range m.GetLabel() {
		labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
	}
	slices.Sort(labels)
	return "{" + strings.Join(labels, ",") + "}"
}

func seriesOf(f *dto.MetricFamily) (names []string) {
	for _, m := range f.GetMetric() {
		names = append(names, seriesName(m))
	}
	slices.Sort(names)
	return names
}

func bucketsOf(f *dto.MetricFamily) (bounds []float64) {
	for _, b := range f.GetMetric()[0].GetHistogram().GetBucket() {
		bounds = append(bounds, b.GetUpperBound())
	}
	return bounds
}

// values flattens a scrape: counters, gauges and how often a histogram was observed.
func (families metricFamilies) values() map[string]float64 {
	values := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			values[name+seriesName(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() +
				float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// use makes calls of most kinds, some of which fail. Both servers get the same.
func use(t *testing.T, s *peers.Server) {
	t.Helper()
	ctx, c := withTimeout(t), s.Client(t)
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	mustNot := func(_ any, err error) {
		t.Helper()
		if err == nil {
			t.Fatalf("%s: a call succeeded", s.Name)
		}
	}
	watch := c.Watch(ctx, "k", clientv3.WithPrefix())
	must(c.Get(ctx, "k")) // later than the watch on the same connection
	for i := range 3 {
		must(c.Put(ctx, fmt.Sprint("k", i), "value"))
	}
	for seen := 0; seen < 3; {
		seen += len((<-watch).Events)
	}
	must(c.Put(ctx, "k0", "other", clientv3.WithPrevKV()))
	must(c.Put(ctx, "k0", "", clientv3.WithIgnoreValue()))
	mustNot(c.Put(ctx, "none", "", clientv3.WithIgnoreValue()))
	mustNot(c.Put(ctx, "k", "v", clientv3.WithLease(4711)))
	must(c.Get(ctx, "k", clientv3.WithPrefix(), clientv3.WithLimit(2)))
	must(c.Get(ctx, "k", clientv3.WithPrefix(), clientv3.WithCountOnly(), clientv3.WithSerializable()))
	mustNot(c.Get(ctx, "k", clientv3.WithRev(1000)))
	must(c.Delete(ctx, "k1", clientv3.WithPrevKV()))
	must(c.Delete(ctx, "none"))
	must(c.Txn(ctx).If(clientv3.Compare(clientv3.Version("k0"), ">", 1)).
		Then(clientv3.OpPut("a", "b"), clientv3.OpGet("k0"), clientv3.OpDelete("k2")).Commit())
	must(c.Txn(ctx).If(clientv3.Compare(clientv3.Value("k0"), "=", "no")).
		Then(clientv3.OpPut("a", "b")).Else(clientv3.OpGet("a"), clientv3.OpGet("k")).Commit())
	must(c.Txn(ctx).Then(clientv3.OpPut("single", "put")).Commit())
	must(c.Grant(ctx, 100))
	grantLeases(t, s, 100, 77, 78)
	must(c.KeepAliveOnce(ctx, 77))
	must(c.TimeToLive(ctx, 77))
	must(c.Put(ctx, "leased", "v", clientv3.WithLease(77)))
	must(c.Revoke(ctx, 77))
	mustNot(c.Revoke(ctx, 77))
	must(c.Compact(ctx, 5))
	mustNot(c.Compact(ctx, 5))
	must(c.MemberList(ctx))
	must(c.AlarmList(ctx))
	setAlarm(t, s, pb.AlarmRequest_ACTIVATE, pb.AlarmType_NOSPACE)
	mustNot(c.Put(ctx, "k", "v"))
	setAlarm(t, s, pb.AlarmRequest_DEACTIVATE, pb.AlarmType_NOSPACE)
	for _, request := range gets("/health", "/livez", "/readyz", "/livez/serializable_read") {
		answerTo(t, s.Addr, request)
	}
	// The end of the client's streams is counted by the server when it hears of it.
	c.Close()
	waitHandled(t, s)
}

// waitHandled waits until as many streams have ended as were begun.
func waitHandled(t *testing.T, s *peers.Server) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(callTimeout); ; <-tick.C {
		started, handled := 0.0, 0.0
		for name, value := range scrape(t, s.Addr).values() {
			if strings.HasPrefix(name, "grpc_server_started_total") {
				started += value
			} else if strings.HasPrefix(name, "grpc_server_handled_total") {
				handled += value
			}
		}
		if started == handled {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v calls started, %v handled", s.Name, started, handled)
		}
	}
}

// Names, texts, types, labels and bounds are those of the reference.
func TestMetricsAreNamedAlike(t *testing.T) {
	servers := peers.StartBoth(t, "--metrics=extensive")
	var families [2]metricFamilies
	for i, s := range servers {
		use(t, s)
		families[i] = scrape(t, s.Addr)
	}
	want, got := families[0], families[1]
	for name, w := range want {
		g := got[name]
		switch {
		case hasReason(absentMetrics, name):
			if g != nil {
				t.Errorf("%s is there, and said to be absent", name)
			}
			continue
		case g == nil:
			t.Errorf("%s is missing", name)
			continue
		}
		if w.GetType() != g.GetType() || w.GetHelp() != g.GetHelp() {
			t.Errorf("%s: reference %v %q, kvorum %v %q", name, w.GetType(), w.GetHelp(), g.GetType(), g.GetHelp())
		}
		if ws, gs := seriesOf(w), seriesOf(g); !slices.Equal(ws, gs) && !hasReason(unequalSeries, name) {
			t.Errorf("%s: labels\nreference %v\nkvorum    %v", name, ws, gs)
		}
		if ws, gs := bucketsOf(w), bucketsOf(g); !slices.Equal(ws, gs) {
			t.Errorf("%s: buckets\nreference %v\nkvorum    %v", name, ws, gs)
		}
	}
	for name := range got {
		if want[name] == nil && !hasReason(ownMetrics, name) {
			t.Errorf("%s is not the reference's", name)
		}
	}
}

// Metrics whose values after the same calls must be the same, by the beginning of their names.
var exactValues = []string{
	"etcd_cluster_version", "etcd_server_id", "etcd_server_version", "etcd_server_has_leader", "etcd_server_is_",
	"etcd_server_leader_changes", "etcd_server_proposals", "etcd_server_quota", "etcd_server_feature_enabled",
	"etcd_server_health", "etcd_server_client_requests_total", "etcd_server_read_indexes_failed", "etcd_server_learner",
	"etcd_server_range_duration_seconds", "etcd_server_request_duration_seconds", "etcd_server_apply_duration_seconds",
	"etcd_server_snapshot", "etcd_mvcc_put", "etcd_mvcc_delete", "etcd_mvcc_range", "etcd_mvcc_txn",
	"etcd_network_known_peers", "etcd_network_client_grpc",
	"etcd_debugging_mvcc_keys", "etcd_debugging_mvcc_current", "etcd_debugging_mvcc_compact_revision",
	"etcd_debugging_mvcc_total_put_size", "etcd_debugging_mvcc_events", "etcd_debugging_mvcc_watch",
	"etcd_debugging_mvcc_slow", "etcd_debugging_mvcc_pending", "etcd_debugging_lease",
	"etcd_debugging_server_lease", "etcd_debugging_server_alarms", "etcd_debugging_auth_revision",
	"etcd_debugging_store", "etcd_grpc_proxy", "grpc_server_started", "grpc_server_handled", "grpc_server_msg",
	"grpc_server_handling",
}

// isRace: KeepAliveOnce of the client ends its side of the stream and cancels it in one go. Which of
// the two the server hears first decides between OK and Canceled; waitHandled sees to the sum.
func isRace(name string) bool {
	return strings.HasPrefix(name, "grpc_server_handled_total") && strings.Contains(name, `"LeaseKeepAlive"`)
}

func isExact(name string) bool {
	return !isRace(name) && slices.ContainsFunc(exactValues, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// The same calls change the counts by as much.
func TestMetricsCountAlike(t *testing.T) {
	servers := peers.StartBoth(t, "--metrics=extensive")
	var changes [2]map[string]float64
	for i, s := range servers {
		before := scrape(t, s.Addr).values()
		use(t, s)
		changes[i] = scrape(t, s.Addr).values()
		for name, value := range before {
			changes[i][name] -= value
		}
	}
	compared := 0
	for name, want := range changes[0] {
		if !isExact(name) {
			continue
		}
		compared++
		if got := changes[1][name]; got != want {
			t.Errorf("%s: reference changed by %v, kvorum by %v", name, want, got)
		}
	}
	for name, got := range changes[1] {
		if _, ok := changes[0][name]; !ok && isExact(name) {
			t.Errorf("%s: only kvorum has it, changed by %v", name, got)
		}
	}
	if compared < 500 {
		t.Errorf("only %d values were compared", compared)
	}
}
