#include "server/peer/transport.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "server/peer/codec.h"
#include "server/peer/endpoints.h"
#include "server/peer/http_server.h"
#include "server/peer/metrics.h"
#include "server/peer/peer.h"
#include "server/peer/peer_context.h"
#include "server/peer/port.h"
#include "server/peer/snapshot_sender.h"

namespace kvorum::server::peer {
namespace {

class TransportImpl final : public Transport, private PeerRegistry {
 public:
  TransportImpl(const Options& options, std::unique_ptr<BoundPort> port)
      : context_(Identity(options.self, options.cluster, options.advertise_urls), options.timing,
                 options.local_address),
        port_(std::move(port)) {}
  ~TransportImpl() override { Stop(); }

  const std::vector<std::string>& addresses() const override { return port_->addresses(); }

  void Start(Handler* handler) override {
    CHECK(accept_thread_ == nullptr) << "a transport starts once";
    context_.handler = handler;
    accept_thread_ = std::make_unique<IoThread>("peer-accept");
    dial_thread_ = std::make_unique<IoThread>("peer-dial");
    context_.accept_loop = accept_thread_->shared_loop();
    context_.dial_loop = dial_thread_->shared_loop();
    context_.client = std::make_unique<HttpClient>(
        context_.dial_loop, HttpClient::Options{.dial_timeout = context_.timing.dial_timeout,
                                                .io_timeout = context_.timing.io_timeout,
                                                .local_address = context_.local_address});
    PeerRegistry* const registry = this;
    endpoints_ = std::make_unique<Endpoints>(&context_, registry);
    server_ = std::make_unique<HttpServer>(
        context_.accept_loop, context_.timing.io_timeout,
        [this](const std::shared_ptr<HttpExchange>& exchange) { endpoints_->Handle(exchange); });
    {
      absl::MutexLock lock(&mutex_);
      running_ = true;
    }
    context_.accept_loop->PostAndWait([this] { server_->Start(port_->Take()); });
  }

  // First nobody is let in any more, then the peers go, then the threads.
  void Stop() override {
    std::map<MemberId, std::shared_ptr<Peer>> peers;
    std::map<MemberId, std::shared_ptr<Remote>> remotes;
    {
      absl::MutexLock lock(&mutex_);
      if (!std::exchange(running_, false)) return;
      peers.swap(peers_);
      remotes.swap(remotes_);
    }
    context_.accept_loop->PostAndWait([this] { server_->StopAccepting(); });
    for (const auto& [id, peer] : peers) peer->Stop();
    for (const auto& [id, remote] : remotes) remote->Stop();
    senders_.Stop();
    context_.accept_loop->PostAndWait([this] { server_->Stop(); });
    accept_thread_->Stop();
    dial_thread_->Stop();
    endpoints_->Stop();
  }

  Status AddPeer(MemberId id, const std::vector<std::string>& urls) override {
    ASSIGN_OR_RETURN(std::vector<PeerUrl> parsed, ParsePeerUrls(urls));
    std::shared_ptr<Peer> peer;
    {
      absl::MutexLock lock(&mutex_);
      if (!running_) return NotRunning();
      if (peers_.contains(id)) return absl::OkStatus();
      LOG_INFO("starting remote peer", {"remote-peer-id", HexId(id)});
      peer = std::make_shared<Peer>(&context_, id, std::move(parsed));
      peers_.emplace(id, peer);
      peer->Start();
    }
    LOG_INFO("started remote peer", {"remote-peer-id", HexId(id)});
    LOG_INFO("added remote peer", {"local-member-id", HexId(context_.self())},
             {"remote-peer-id", HexId(id)}, {"remote-peer-urls", urls});
    return absl::OkStatus();
  }

  Status UpdatePeer(MemberId id, const std::vector<std::string>& urls) override {
    ASSIGN_OR_RETURN(std::vector<PeerUrl> parsed, ParsePeerUrls(urls));
    const std::shared_ptr<Peer> peer = Find(id);
    if (peer == nullptr) return absl::OkStatus();
    peer->Update(std::move(parsed));
    LOG_INFO("updated remote peer", {"local-member-id", HexId(context_.self())},
             {"updated-remote-peer-id", HexId(id)}, {"updated-remote-peer-urls", urls});
    return absl::OkStatus();
  }

  void RemovePeer(MemberId id) override {
    std::shared_ptr<Peer> peer;
    {
      absl::MutexLock lock(&mutex_);
      const auto it = peers_.find(id);
      if (it != peers_.end()) {
        peer = std::move(it->second);
        peers_.erase(it);
      }
    }
    if (peer == nullptr) {
      LOG_WARN("skipped removing already removed peer", {"local-member-id", HexId(context_.self())},
               {"removed-remote-peer-id", HexId(id)});
      return;
    }
    senders_.Cancel(id);
    peer->Stop();
    LOG_INFO("removed remote peer", {"local-member-id", HexId(context_.self())},
             {"removed-remote-peer-id", HexId(id)});
  }

  void RemoveAllPeers() override {
    std::vector<MemberId> ids;
    {
      absl::MutexLock lock(&mutex_);
      for (const auto& [id, peer] : peers_) ids.push_back(id);
    }
    for (const MemberId id : ids) RemovePeer(id);
  }

  Status AddRemote(MemberId id, const std::vector<std::string>& urls) override {
    ASSIGN_OR_RETURN(std::vector<PeerUrl> parsed, ParsePeerUrls(urls));
    absl::MutexLock lock(&mutex_);
    if (!running_) return NotRunning();
    if (peers_.contains(id) || remotes_.contains(id)) return absl::OkStatus();
    if (remotes_.size() >= kMaxRemotes) return absl::ResourceExhaustedError("too many remotes");
    remotes_.emplace(id, std::make_shared<Remote>(&context_, id, std::move(parsed)));
    LOG_INFO("added new remote peer", {"local-member-id", HexId(context_.self())},
             {"remote-peer-id", HexId(id)}, {"remote-peer-urls", urls});
    return absl::OkStatus();
  }

  void Send(std::vector<raft::Message> messages) override {
    for (raft::Message& message : messages) {
      if (message.to == raft::kNone) continue;
      if (const auto peer = Find(message.to)) {
        peer->Send(std::move(message));
      } else if (const auto remote = FindRemote(message.to)) {
        remote->Send(std::move(message));
      } else {
        LOG_DEBUG("ignored message send request; unknown remote peer target",
                  {"type", raft::Name(message.type)},
                  {"unknown-target-peer-id", HexId(message.to)});
      }
    }
  }

  void SendSnapshot(raft::Message message, std::unique_ptr<SnapshotSource> source) override {
    CHECK(message.type == raft::MessageType::kSnap && message.snapshot != nullptr);
    const MemberId to = message.to;
    const std::shared_ptr<Peer> peer = Find(to);
    const bool started = peer != nullptr && senders_.Start({.message = std::move(message),
                                                            .source = std::move(source),
                                                            .picker = peer->picker(),
                                                            .status = peer->status()});
    if (!started && running()) context_.handler->OnSnapshotSent(to, false);
  }

  std::optional<TimePoint> ActiveSince(MemberId id) const override {
    const std::shared_ptr<Peer> peer = Find(id);
    return peer == nullptr ? std::nullopt : peer->status()->active_since();
  }

  void CutPeer(MemberId id) override { SetPaused(id, true); }
  void MendPeer(MemberId id) override { SetPaused(id, false); }

 private:
  static Status NotRunning() {
    return absl::FailedPreconditionError("the peer transport is not running");
  }

  bool running() const {
    absl::MutexLock lock(&mutex_);
    return running_;
  }
  std::shared_ptr<Peer> Find(MemberId id) const {
    absl::MutexLock lock(&mutex_);
    const auto it = peers_.find(id);
    return it == peers_.end() ? nullptr : it->second;
  }
  std::shared_ptr<Remote> FindRemote(MemberId id) const {
    absl::MutexLock lock(&mutex_);
    const auto it = remotes_.find(id);
    return it == remotes_.end() ? nullptr : it->second;
  }
  void SetPaused(MemberId id, bool paused) {
    if (const auto peer = Find(id)) peer->SetPaused(paused);
    if (const auto remote = FindRemote(id)) remote->SetPaused(paused);
  }

  // PeerRegistry, on the accept loop.
  bool IsPeer(MemberId id) override { return Find(id) != nullptr; }
  void AttachStream(MemberId id, StreamKind kind,
                    const std::shared_ptr<HttpExchange>& exchange) override {
    if (const auto peer = Find(id)) {
      peer->Attach(kind, exchange);
    } else {  // removed since it was looked for
      exchange->ReplyAndClose(TextReply(404, "error sender not found"));
    }
  }
  void AddRemoteFromNetwork(MemberId id, const std::vector<std::string>& urls) override {
    if (id == context_.self() || id == raft::kNone) return;
    const Status status = AddRemote(id, urls);
    if (!status.ok()) {
      LOG_WARN("ignored URLs of a member that is not known", {"remote-peer-id", HexId(id)},
               {"remote-peer-urls", urls}, {"error", status});
    }
  }
  void CountReceived(MemberId from, size_t bytes) override {
    if (const auto peer = Find(from)) peer->status()->metrics().received_bytes().Add(bytes);
  }

  PeerContext context_;
  const std::unique_ptr<BoundPort> port_;
  std::unique_ptr<Endpoints> endpoints_;
  std::unique_ptr<HttpServer> server_;
  SnapshotSenders senders_{&context_};
  std::unique_ptr<IoThread> accept_thread_;
  std::unique_ptr<IoThread> dial_thread_;

  mutable absl::Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<MemberId, std::shared_ptr<Peer>> peers_ ABSL_GUARDED_BY(mutex_);
  std::map<MemberId, std::shared_ptr<Remote>> remotes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

StatusOr<std::unique_ptr<Transport::Port>> Transport::Bind(const std::vector<std::string>& urls,
                                                           bool reuse_port) {
  ASSIGN_OR_RETURN(std::unique_ptr<Port> port, BoundPort::Bind(urls, reuse_port));
  return port;
}

StatusOr<std::unique_ptr<Transport>> Transport::Listen(const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Port> port, Bind(options.listen_urls, options.reuse_port));
  return New(options, std::move(port));
}

std::unique_ptr<Transport> Transport::New(const Options& options, std::unique_ptr<Port> port) {
  auto* const bound = static_cast<BoundPort*>(port.release());  // there is no other kind
  return std::make_unique<TransportImpl>(options, std::unique_ptr<BoundPort>(bound));
}

}  // namespace kvorum::server::peer
