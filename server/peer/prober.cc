#include "server/peer/prober.h"

#include <absl/time/time.h>

#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server::peer {
namespace {

constexpr size_t kMaxAnswerBytes = 4 << 10;
constexpr int kSmoothing = 8;  // a probe counts for an eighth

// When the other side answered.
StatusOr<absl::Time> ParseAnswer(const HttpReply& reply) {
  if (reply.status != 200) {
    return absl::UnavailableError(StrCat("unexpected http status ", reply.status));
  }
  const auto json = nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("OK") || json["OK"] != true || !json.contains("Now") ||
      !json["Now"].is_string()) {
    return absl::UnavailableError("not healthy");
  }
  absl::Time now;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, json["Now"].get<std::string>(), &now, &error)) {
    return absl::UnavailableError(error);
  }
  return now;
}

}  // namespace

Prober::Prober(const PeerContext* context, MemberId peer, std::string name,
               std::shared_ptr<PeerStatus> status)
    : context_(context),
      peer_(peer),
      name_(std::move(name)),
      status_(std::move(status)),
      probe_timer_(context->dial_loop.get()),
      report_timer_(context->dial_loop.get()) {}

void Prober::Start(std::vector<PeerUrl> urls) {
  if (stopped_) return;
  picker_ = std::make_unique<UrlPicker>(std::move(urls));
  Schedule();
  report_timer_.After(kProbeFailureReportInterval, [self = shared_from_this()] { self->Report(); });
}

void Prober::Stop() {
  stopped_ = true;
  probe_timer_.Cancel();
  report_timer_.Cancel();
  if (const auto request = request_.lock()) request->Close();
}

void Prober::Schedule() {
  probe_timer_.After(context_->timing.probe_interval,
                     [self = shared_from_this()] { self->Probe(); });
}

void Prober::Probe() {
  url_ = picker_->Pick();
  HttpClient::Call call;
  call.request = std::make_shared<const std::string>(
      RequestHead("GET", "/raft/probing", url_.HostHeader(), {}, BodyFraming()));
  call.answer_timeout = context_->timing.io_timeout;
  call.max_body_bytes = kMaxAnswerBytes;
  request_ = context_->client->Send(
      url_, std::move(call),
      [self = shared_from_this(), begin = SystemClock().Now()](const StatusOr<HttpReply>& reply) {
        self->OnReply(begin, reply);
      });
}

void Prober::OnReply(TimePoint begin, const StatusOr<HttpReply>& reply) {
  if (stopped_) return;
  const StatusOr<absl::Time> there =
      reply.ok() ? ParseAnswer(*reply) : StatusOr<absl::Time>(reply.status());
  if (there.ok()) {
    const Duration round_trip = SystemClock().Now() - begin;
    smooth_round_trip_ += (round_trip - smooth_round_trip_) / kSmoothing;
    const WallTime when(absl::ToChronoNanoseconds(*there - absl::UnixEpoch()));
    clock_difference_ = SystemClock().WallNow() - when - smooth_round_trip_ / 2;
    error_.clear();
  } else {
    picker_->Unreachable(url_);
    error_ = ToStd(there.status().message());
    if (error_.empty()) error_ = "probe failed";
  }
  Schedule();
}

void Prober::Report() {
  if (!error_.empty()) {
    LOG_WARN("prober detected unhealthy status", {"round-tripper-name", name_},
             {"remote-peer-id", HexId(peer_)}, {"rtt", smooth_round_trip_}, {"error", error_});
  }
  if (clock_difference_ > kClockDriftToReport) {
    LOG_WARN("prober found high clock drift", {"round-tripper-name", name_},
             {"remote-peer-id", HexId(peer_)}, {"clock-drift", clock_difference_},
             {"rtt", smooth_round_trip_});
  }
  status_->metrics().RoundTrip(smooth_round_trip_);
  report_timer_.After(error_.empty() ? kProbeReportInterval : kProbeFailureReportInterval,
                      [self = shared_from_this()] { self->Report(); });
}

std::string ProbeAnswer(WallTime now) {
  const absl::Time time = absl::UnixEpoch() + absl::FromChrono(now.time_since_epoch());
  return StrCat(R"({"OK":true,"Now":")",
                absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()), "\"}\n");
}

}  // namespace kvorum::server::peer
