#pragma once
// A network of the test's for members in one process: messages wait until the test delivers them,
// in the order sent; members can be cut off and mended. Questions are answered at the next
// delivery.

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/peers.h"

namespace kvorum::server {

class TestNetwork {
 public:
  explicit TestNetwork(const Clock& clock) : clock_(clock) {}

  // The member that is reached at `urls`.
  std::unique_ptr<Peers> NewPeers(std::vector<std::string> urls) {
    return std::make_unique<Link>(this, std::move(urls));
  }
  // Everything sent so far; false if there was nothing.
  bool Deliver() {
    const std::deque<std::function<void()>> now = std::exchange(queue_, {});
    for (const auto& work : now) work();
    return !now.empty();
  }
  // What a member would have waited for one URL that does not say who the members are.
  Duration longest_wait() const { return longest_wait_; }
  void Cut(MemberId id) { cut_.insert(id); }
  void Mend(MemberId id) {
    cut_.erase(id);
    active_since_.clear();
  }

 private:
  class Link final : public Peers {
   public:
    Link(TestNetwork* network, Urls urls) : network_(*network), urls_(std::move(urls)) {}
    ~Link() override { Stop(); }

    StatusOr<Cluster> AskMembers(const Urls& urls, Duration timeout) override {
      network_.longest_wait_ = std::max(network_.longest_wait_, timeout);
      for (const std::string& url : urls) {
        const Link* const other = network_.Find({url});
        if (other == nullptr) continue;
        std::vector<MemberInfo> members = other->handler_->Members();
        if (!members.empty()) return Cluster{.id = other->cluster_, .members = std::move(members)};
      }
      return absl::UnavailableError("nobody there");
    }
    StatusOr<peer::Versions> AskVersions(const Urls& urls, Duration) override {
      const Link* const other = network_.Find(urls);
      if (other == nullptr) return absl::UnavailableError("nobody there");
      return other->handler_->GetVersions();
    }
    Status Open(MemberId self, ClusterId cluster) override {
      self_ = self;
      cluster_ = cluster;
      return absl::OkStatus();
    }
    void Start(peer::Handler* handler) override {
      handler_ = handler;
      network_.links_[self_] = this;
    }
    void Stop() override {
      const auto it = network_.links_.find(self_);
      if (it != network_.links_.end() && it->second == this) network_.links_.erase(it);
      handler_ = nullptr;
    }
    void AddPeer(MemberId id, const Urls&) override { peers_.insert(id); }
    void UpdatePeer(MemberId, const Urls&) override {}
    void RemovePeer(MemberId id) override { peers_.erase(id); }

    void Send(std::vector<raft::Message> messages) override {
      for (raft::Message& message : messages) {
        if (!peers_.contains(message.to)) continue;
        network_.queue_.push_back([this, &network = network_, from = self_, message] {
          const auto to = network.links_.find(message.to);
          const bool lost = to == network.links_.end() || network.cut_.contains(message.to) ||
                            network.cut_.contains(from);
          if (!lost) {
            to->second->handler_->Receive(message);
          } else if (network.links_.contains(from)) {
            network.links_[from]->handler_->OnUnreachable(message.to);
          }
        });
      }
    }
    void SendSnapshot(raft::Message message,
                      std::unique_ptr<peer::SnapshotSource> source) override {
      std::shared_ptr<peer::SnapshotSource> shared = std::move(source);
      network_.queue_.push_back([&network = network_, from = self_, message, shared] {
        const bool ok = network.Carry(from, message, *shared);
        if (network.links_.contains(from)) {
          network.links_[from]->handler_->OnSnapshotSent(message.to, ok);
        }
      });
    }
    std::optional<TimePoint> ActiveSince(MemberId id) const override {
      if (!network_.links_.contains(id) || network_.cut_.contains(id) ||
          network_.cut_.contains(self_)) {
        network_.active_since_.erase({self_, id});
        return std::nullopt;
      }
      return network_.active_since_.emplace(std::pair(self_, id), network_.clock_.Now())
          .first->second;
    }

    void AskServerVersion(const Urls& urls,
                          std::function<void(StatusOr<std::string>)> done) override {
      Ask(urls, [done](const Link* other) {
        if (other == nullptr) return done(absl::UnavailableError("nobody there"));
        done(other->handler_->GetVersions().server);
      });
    }
    void PromoteMember(const Urls& urls, MemberId id, peer::Completion<bool> done) override {
      Ask(urls, [done, id](const Link* other) {
        if (other == nullptr) return done({.error = Error::kNoLeader});
        other->handler_->PromoteMember(
            id, "", [done](const peer::Answer<std::vector<MemberInfo>>& answer) {
              done({.error = answer.error, .value = answer.error == Error::kOk});
            });
      });
    }
    void HashKv(const Urls& urls, Revision revision,
                peer::Completion<peer::HashKvResult> done) override {
      Ask(urls, [done, revision](const Link* other) {
        if (other == nullptr) return done({.error = Error::kNoLeader, .value = {}});
        other->handler_->HashKv(revision, done);
      });
    }
    void RenewLease(const Urls& urls, LeaseId id, peer::Completion<int64_t> done) override {
      Ask(urls, [done, id](const Link* other) {
        if (other == nullptr) return done({.error = Error::kNoLeader});
        other->handler_->RenewLease(id, done);
      });
    }
    void LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys,
                         peer::Completion<peer::LeaseTtl> done) override {
      Ask(urls, [done, id, keys](const Link* other) {
        if (other == nullptr) return done({.error = Error::kNoLeader, .value = {}});
        other->handler_->LeaseTimeToLive(id, keys, done);
      });
    }

    void Ask(const Urls& urls, std::function<void(const Link*)> ask) {
      network_.queue_.push_back([&network = network_, urls, from = self_, ask] {
        const Link* const other = network.Find(urls);
        const bool lost = other != nullptr &&
                          (network.cut_.contains(other->self_) || network.cut_.contains(from));
        ask(lost ? nullptr : other);
      });
    }

    TestNetwork& network_;
    const Urls urls_;
    MemberId self_;
    ClusterId cluster_;
    peer::Handler* handler_ = nullptr;
    std::set<MemberId> peers_;
  };

  const Link* Find(const std::vector<std::string>& urls) const {
    for (const auto& [id, link] : links_) {
      for (const std::string& url : urls) {
        if (std::find(link->urls_.begin(), link->urls_.end(), url) != link->urls_.end()) {
          return link;
        }
      }
    }
    return nullptr;
  }

  // False if it did not arrive.
  bool Carry(MemberId from, const raft::Message& message, peer::SnapshotSource& source) {
    const auto to = links_.find(message.to);
    if (to == links_.end() || cut_.contains(message.to) || cut_.contains(from)) return false;
    auto receiver = to->second->handler_->BeginSnapshot(message);
    if (!receiver.ok() || !source.Open().ok()) return false;
    for (;;) {
      const StatusOr<std::string> piece = source.Read(100000);
      if (!piece.ok()) return false;
      if (piece->empty()) break;
      if (!(*receiver)->Write(*piece).ok()) return false;
    }
    return (*receiver)->Commit().ok() && to->second->handler_->Receive(message);
  }

  const Clock& clock_;
  Duration longest_wait_ = Duration::zero();
  std::map<MemberId, Link*> links_;  // of members that run
  std::set<MemberId> cut_;
  std::deque<std::function<void()>> queue_;
  std::map<std::pair<MemberId, MemberId>, TimePoint> active_since_;
};

}  // namespace kvorum::server
