#pragma once
// Prober: asks a peer now and then whether it is there and what time it has. For metrics and the
// log only: nothing is decided by it.
//
// Threads: the dial loop. Follows etcd rafthttp/probing_status.go.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/peer/io_loop.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/url_picker.h"

namespace kvorum::server::peer {

// Reports are written this long after the start and after a failed probe, else less often.
inline constexpr Duration kProbeFailureReportInterval = std::chrono::seconds(5);
inline constexpr Duration kProbeReportInterval = std::chrono::seconds(30);
// Clocks further apart are worth a line.
inline constexpr Duration kClockDriftToReport = std::chrono::seconds(1);

class Prober : public std::enable_shared_from_this<Prober> {
 public:
  // `name`: the kind of connection, as etcd calls it in its log.
  Prober(const PeerContext* context, MemberId peer, std::string name,
         std::shared_ptr<PeerStatus> status);

  // Begins, or begins anew with other URLs.
  void Start(std::vector<PeerUrl> urls);
  void Stop();

 private:
  void Probe();
  void OnReply(TimePoint begin, const StatusOr<HttpReply>& reply);
  void Schedule();
  void Report();

  const PeerContext* const context_;
  const MemberId peer_;
  const std::string name_;
  const std::shared_ptr<PeerStatus> status_;
  std::unique_ptr<UrlPicker> picker_;
  PeerUrl url_;  // being asked
  std::weak_ptr<Closable> request_;
  Timer probe_timer_;
  Timer report_timer_;
  bool stopped_ = false;

  Duration smooth_round_trip_ = Duration::zero();
  Duration clock_difference_ = Duration::zero();
  std::string error_;  // of the last probe
};

// The answer to a probe at `now`.
std::string ProbeAnswer(WallTime now);

}  // namespace kvorum::server::peer
