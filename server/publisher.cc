#include "server/publisher.h"

#include <utility>

#include "base/log.h"

namespace kvorum::server {

Publisher::Publisher(const Config& config, ClusterId cluster, const Membership& membership,
                     Proposer& proposer)
    : config_(config), cluster_(cluster), membership_(membership), proposer_(proposer) {}

TimePoint Publisher::Step(TimePoint now) {
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kPublished && !membership_.cluster_version().empty()) {
      Set(State::kReady);
    }
    if (state_ == State::kReady || state_ == State::kStopped) return TimePoint::max();
    if (under_way_ || state_ == State::kPublished) return now + kInterval;
    under_way_ = true;
  }
  PublishAttributes();
  return now + kInterval;
}

void Publisher::Advance(State from, State to) {
  absl::MutexLock lock(&mutex_);
  under_way_ = false;
  if (state_ == from) Set(to);
}

void Publisher::Set(State state) {
  state_ = state;
  changed_.SignalAll();
}

void Publisher::PublishAttributes() {
  etcdserverpb::InternalRaftRequest request;
  auto* const set = request.mutable_cluster_member_attr_set();
  set->set_member_id(membership_.self().value());
  set->mutable_member_attributes()->set_name(config_.name);
  for (const std::string& url : config_.advertise_client_urls) {
    set->mutable_member_attributes()->add_client_urls(url);
  }
  proposer_.ProposeOwn(std::move(request), [this](Error error) {
    if (error == Error::kOk) {
      LOG_INFO("published local member to cluster through raft",
               {"local-member-id", HexId(membership_.self())}, {"local-member-name", config_.name},
               {"local-member-client-urls", config_.advertise_client_urls},
               {"cluster-id", HexId(cluster_)}, {"publish-timeout", config_.request_timeout()});
      return Advance(State::kPublishing, State::kPublished);
    }
    if (error != Error::kStopped) {
      LOG_WARN("failed to publish local member to cluster through raft",
               {"local-member-id", HexId(membership_.self())});
    }
    Advance(State::kPublishing, State::kPublishing);
  });
}

bool Publisher::WaitReady() {
  absl::MutexLock lock(&mutex_);
  while (state_ != State::kReady && state_ != State::kStopped) changed_.Wait(&mutex_);
  return state_ == State::kReady;
}

bool Publisher::ready() const {
  absl::MutexLock lock(&mutex_);
  return state_ == State::kReady;
}

void Publisher::Stop() {
  absl::MutexLock lock(&mutex_);
  if (state_ != State::kReady) Set(State::kStopped);
}

}  // namespace kvorum::server
