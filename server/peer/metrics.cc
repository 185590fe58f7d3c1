#include "server/peer/metrics.h"

#include "base/strings.h"

namespace kvorum::server::peer {
namespace {

using metrics::Default;
using metrics::ExponentialBounds;
using Direction = SnapshotMeter::Direction;

constexpr char kReceiveFailures[] = "etcd_network_peer_received_failures_total";
constexpr char kReceiveFailuresHelp[] = "The total number of receive failures from peers.";
constexpr char kReceivedBytes[] = "etcd_network_peer_received_bytes_total";
constexpr char kReceivedBytesHelp[] = "The total number of bytes received from peers.";

std::string SnapshotName(Direction direction, std::string_view what) {
  return StrCat("etcd_network_snapshot_", direction == Direction::kSend ? "send" : "receive", "_",
                what);
}
std::string Plural(Direction direction) {
  return direction == Direction::kSend ? "sends" : "receives";
}
metrics::Labels SnapshotLabels(Direction direction, const std::string& other) {
  return {{direction == Direction::kSend ? "To" : "From", other}};
}

metrics::Gauge& InFlight(Direction direction, const std::string& other) {
  return Default().AddGauge(SnapshotName(direction, "inflights_total"),
                            "Total number of inflight snapshot " + Plural(direction),
                            SnapshotLabels(direction, other));
}

}  // namespace

PeerMetrics::PeerMetrics(MemberId local, MemberId remote)
    : local_(HexId(local)),
      remote_(HexId(remote)),
      sent_bytes_(Default().AddCounter("etcd_network_peer_sent_bytes_total",
                                       "The total number of bytes sent to peers.",
                                       {{"To", remote_}})),
      received_bytes_(
          Default().AddCounter(kReceivedBytes, kReceivedBytesHelp, {{"From", remote_}})),
      active_(Default().AddGauge("etcd_network_active_peers",
                                 "The current number of active peer connections.",
                                 {{"Local", local_}, {"Remote", remote_}})) {}

void PeerMetrics::Disconnected() {
  Default()
      .AddCounter("etcd_network_disconnected_peers_total",
                  "The total number of disconnected peers.",
                  {{"Local", local_}, {"Remote", remote_}})
      .Add();
}

void PeerMetrics::SendFailed() {
  Default()
      .AddCounter("etcd_network_peer_sent_failures_total",
                  "The total number of send failures from peers.", {{"To", remote_}})
      .Add();
}

void PeerMetrics::ReceiveFailed() {
  Default().AddCounter(kReceiveFailures, kReceiveFailuresHelp, {{"From", remote_}}).Add();
}

void PeerMetrics::RoundTrip(Duration took) {
  Default()
      .AddHistogram("etcd_network_peer_round_trip_time_seconds",
                    "Round-Trip-Time histogram between peers", ExponentialBounds(.0001, 2, 16),
                    {{"To", remote_}})
      .Observe(took);
}

metrics::Counter& NobodysReceivedBytes() {
  static metrics::Counter& counter =
      Default().AddCounter(kReceivedBytes, kReceivedBytesHelp, {{"From", "0"}});
  return counter;
}

void CountBadRequest(const std::string& from) {
  Default().AddCounter(kReceiveFailures, kReceiveFailuresHelp, {{"From", from}}).Add();
}

SnapshotMeter::SnapshotMeter(Direction direction, const std::string& other)
    : direction_(direction), other_(other) {
  InFlight(direction_, other_).Add(1);
}

SnapshotMeter::~SnapshotMeter() { InFlight(direction_, other_).Add(-1); }

void SnapshotMeter::Succeeded(Duration took) {
  const metrics::Labels labels = SnapshotLabels(direction_, other_);
  Default()
      .AddCounter(SnapshotName(direction_, "success"),
                  "Total number of successful snapshot " + Plural(direction_), labels)
      .Add();
  Default()
      .AddHistogram(SnapshotName(direction_, "total_duration_seconds"),
                    "Total latency distributions of v3 snapshot " + Plural(direction_),
                    ExponentialBounds(.1, 2, 10), labels)
      .Observe(took);
}

void SnapshotMeter::Failed(Direction direction, const std::string& other) {
  const char* const verb = direction == Direction::kSend ? "send" : "receive";
  Default()
      .AddCounter(SnapshotName(direction, "failures"),
                  StrCat("Total number of snapshot ", verb, " failures"),
                  SnapshotLabels(direction, other))
      .Add();
}

}  // namespace kvorum::server::peer
