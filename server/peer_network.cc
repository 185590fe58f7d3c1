#include "server/peer_network.h"

#include <utility>

#include "base/log.h"

namespace kvorum::server {
namespace {

constexpr Duration kVersionTimeout = std::chrono::seconds(2);

Duration DialTimeout(const Config& config) {
  return std::chrono::seconds(1) + std::chrono::milliseconds(config.election_timeout_ms);
}

void WarnIfRefused(const Status& status, MemberId id, const Peers::Urls& urls) {
  if (status.ok()) return;
  LOG_WARN("cannot reach a member at its URLs", {"remote-peer-id", HexId(id)},
           {"remote-peer-urls", urls}, {"error", status});
}

}  // namespace

StatusOr<std::unique_ptr<PeerNetwork>> PeerNetwork::Listen(const Config& config) {
  ASSIGN_OR_RETURN(auto port,
                   peer::Transport::Bind(config.listen_peer_urls, config.socket_reuse_port));
  return std::unique_ptr<PeerNetwork>(new PeerNetwork(config, std::move(port)));
}

PeerNetwork::PeerNetwork(const Config& config, std::unique_ptr<peer::Transport::Port> port)
    : config_(config),
      port_(std::move(port)),
      client_({.dial_timeout = DialTimeout(config), .local_address = config.member_local_address}) {
}

PeerNetwork::~PeerNetwork() { Stop(); }

const std::vector<std::string>& PeerNetwork::addresses() const {
  return transport_ ? transport_->addresses() : port_->addresses();
}

StatusOr<Peers::Cluster> PeerNetwork::AskMembers(const Urls& urls, Duration timeout) {
  ASSIGN_OR_RETURN(auto found, client_.GetMembers(urls, timeout));
  return Cluster{.id = found.cluster, .members = std::move(found.members)};
}

StatusOr<peer::Versions> PeerNetwork::AskVersions(const Urls& urls, Duration timeout) {
  return client_.GetVersions(urls, timeout);
}

Status PeerNetwork::Open(MemberId self, ClusterId cluster) {
  peer::Transport::Options options;
  cluster_ = cluster;
  options.self = self;
  options.cluster = cluster;
  options.advertise_urls = config_.initial_advertise_peer_urls;
  options.local_address = config_.member_local_address;
  options.timing.dial_timeout = DialTimeout(config_);
  transport_ = peer::Transport::New(options, std::move(port_));
  return absl::OkStatus();
}

void PeerNetwork::Start(peer::Handler* handler) {
  askers_.Start(kThreads);
  transport_->Start(handler);
}

void PeerNetwork::Stop() {
  client_.Cancel();
  askers_.Stop();
  if (transport_) transport_->Stop();
}

void PeerNetwork::AddPeer(MemberId id, const Urls& urls) {
  WarnIfRefused(transport_->AddPeer(id, urls), id, urls);
}

void PeerNetwork::UpdatePeer(MemberId id, const Urls& urls) {
  WarnIfRefused(transport_->UpdatePeer(id, urls), id, urls);
}

void PeerNetwork::RemovePeer(MemberId id) { transport_->RemovePeer(id); }

void PeerNetwork::Send(std::vector<raft::Message> messages) {
  transport_->Send(std::move(messages));
}

void PeerNetwork::SendSnapshot(raft::Message message,
                               std::unique_ptr<peer::SnapshotSource> source) {
  transport_->SendSnapshot(std::move(message), std::move(source));
}

std::optional<TimePoint> PeerNetwork::ActiveSince(MemberId id) const {
  return transport_->ActiveSince(id);
}

void PeerNetwork::AskServerVersion(const Urls& urls,
                                   std::function<void(StatusOr<std::string>)> done) {
  const bool queued = askers_.Run([this, urls, done] {
    StatusOr<peer::Versions> versions = client_.GetVersions(urls, kVersionTimeout);
    done(versions.ok() ? StatusOr<std::string>(std::move(versions->server)) : versions.status());
  });
  if (!queued) done(absl::UnavailableError("too many questions to other members"));
}

template <typename T>
void PeerNetwork::Ask(peer::Completion<T> done, std::function<peer::Answer<T>()> ask) {
  const bool queued = askers_.Run([done, ask = std::move(ask)] { done(ask()); });
  if (!queued) done({.error = Error::kTooManyRequests, .value = {}});
}

void PeerNetwork::PromoteMember(const Urls& urls, MemberId id, peer::Completion<bool> done) {
  Ask<bool>(std::move(done), [this, urls, id] {
    const auto answer = client_.PromoteMember(urls, id, "", config_.request_timeout());
    return peer::Answer<bool>{.error = answer.error, .value = answer.error == Error::kOk};
  });
}

void PeerNetwork::HashKv(const Urls& urls, Revision revision,
                         peer::Completion<peer::HashKvResult> done) {
  Ask<peer::HashKvResult>(std::move(done), [this, urls, revision] {
    const auto answer = client_.HashKv(urls, cluster_, revision, config_.request_timeout());
    if (answer.ok()) return *answer;
    return peer::Answer<peer::HashKvResult>{.error = Error::kTimeout, .value = {}};
  });
}

void PeerNetwork::RenewLease(const Urls& urls, LeaseId id, peer::Completion<int64_t> done) {
  Ask<int64_t>(std::move(done), [this, urls, id] {
    return client_.RenewLease(urls, id, config_.request_timeout());
  });
}

void PeerNetwork::LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys,
                                  peer::Completion<peer::LeaseTtl> done) {
  Ask<peer::LeaseTtl>(std::move(done), [this, urls, id, keys] {
    return client_.LeaseTimeToLive(urls, id, keys, config_.request_timeout());
  });
}

}  // namespace kvorum::server
