#include "server/peer_service.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/database_snapshot.h"
#include "server/own_call.h"
#include "wal/snap/snap_db.h"

namespace kvorum::server {
namespace {

class SnapDbWriter final : public peer::SnapshotReceiver {
 public:
  explicit SnapDbWriter(std::unique_ptr<wal::snap::SnapDbReceiver> file) : file_(std::move(file)) {}
  Status Write(std::string_view bytes) override { return file_->Append(bytes); }
  Status Commit() override { return file_->Commit(); }

 private:
  const std::unique_ptr<wal::snap::SnapDbReceiver> file_;
};

peer::HashKvResult ToResult(const etcdserverpb::HashKVResponse& response) {
  return {.hash = response.hash(),
          .revision = response.header().revision(),
          .compact_revision = response.compact_revision(),
          .hash_revision = response.hash_revision()};
}

// A renewal for another member; deletes itself.
class ForeignRenewal final : public LeaseRenewWaiter, private Resumer {
 public:
  explicit ForeignRenewal(peer::Completion<int64_t> done)
      : LeaseRenewWaiter(static_cast<Resumer&>(*this)), done_(std::move(done)) {}

 private:
  void Resume(std::span<Waiter* const>) override {
    const bool gone = error == Error::kOk && ttl_seconds == 0;
    done_({.error = gone ? Error::kLeaseNotFound : error, .value = ttl_seconds});
    delete this;
  }
  const peer::Completion<int64_t> done_;
};

class ForeignTimeToLive final : public LeaseTimeToLiveWaiter, private Resumer {
 public:
  explicit ForeignTimeToLive(peer::Completion<peer::LeaseTtl> done)
      : LeaseTimeToLiveWaiter(static_cast<Resumer&>(*this)), done_(std::move(done)) {}

 private:
  void Resume(std::span<Waiter* const>) override {
    const bool gone = error == Error::kOk && result.ttl_seconds < 0;
    done_({.error = gone ? Error::kLeaseNotFound : error,
           .value = {.ttl_seconds = result.ttl_seconds,
                     .granted_ttl_seconds = result.granted_ttl_seconds,
                     .keys = std::move(result.keys)}});
    delete this;
  }
  const peer::Completion<peer::LeaseTtl> done_;
};

}  // namespace

void PeerService::Start(const std::vector<MemberInfo>& neighbours) {
  if (parts_.peers == nullptr) return;
  parts_.peers->Start(this);
  std::vector<MemberInfo> members = parts_.membership->Members();
  members.insert(members.end(), neighbours.begin(), neighbours.end());
  absl::MutexLock lock(&mutex_);
  for (const MemberInfo& member : members) AddPeer(member);
}

void PeerService::AddPeer(const MemberInfo& member) {
  if (member.id == parts_.membership->self()) return;
  parts_.peers->AddPeer(member.id, member.peer_urls);
  known_.insert(member.id);
}

void PeerService::Stop() {
  if (parts_.peers != nullptr) parts_.peers->Stop();
}

// ---- Out ----------------------------------------------------------------------------------------

void PeerService::Send(std::vector<raft::Message> messages) {
  std::vector<raft::Message> plain;
  plain.reserve(messages.size());
  for (raft::Message& message : messages) {
    if (message.type == raft::MessageType::kSnap) {
      SendSnapshot(std::move(message));
    } else if (!parts_.membership->IsRemoved(message.to)) {
      plain.push_back(std::move(message));
    }
  }
  if (parts_.peers != nullptr) parts_.peers->Send(std::move(plain));
}

// What raft asked for is the need of a snapshot; what goes out is the state of now.
void PeerService::SendSnapshot(raft::Message message) {
  const MemberId to = message.to;
  const bool wanted = parts_.peers != nullptr && !parts_.membership->IsRemoved(to);
  const bool queued =
      wanted && parts_.server->RunOnReadPool([this, message = std::move(message)]() mutable {
        auto taken = TakeDatabaseSnapshot(parts_.store->Get(), *parts_.membership);
        if (!taken.ok()) {
          LOG_ERROR("failed to take a snapshot for another member", {"to", HexId(message.to)},
                    {"error", taken.status()});
          return OnSnapshotSent(message.to, false);
        }
        message.snapshot = std::move(taken->snapshot);
        parts_.peers->SendSnapshot(std::move(message), std::move(taken->source));
      });
  if (!queued) OnSnapshotSent(to, false);
}

void PeerService::OnConfChange(const raftpb::ConfChange& change) {
  const MemberId id(change.node_id());
  if (parts_.peers == nullptr || id == raft::kNone) return;
  if (id == parts_.membership->self()) {
    if (change.type() == raftpb::ConfChangeRemoveNode) parts_.on_removed();
    return;
  }
  absl::MutexLock lock(&mutex_);
  if (change.type() == raftpb::ConfChangeRemoveNode) {
    known_.erase(id);
    return parts_.peers->RemovePeer(id);
  }
  const std::optional<MemberInfo> member = parts_.membership->Find(id);
  if (!member) return;  // removed by a later entry of the same batch
  if (change.type() == raftpb::ConfChangeUpdateNode) {
    parts_.peers->UpdatePeer(id, member->peer_urls);
  } else {
    AddPeer(*member);
  }
}

void PeerService::OnMembersReplaced() {
  if (parts_.peers == nullptr) return;
  if (parts_.membership->IsRemoved(parts_.membership->self())) return parts_.on_removed();
  absl::MutexLock lock(&mutex_);
  for (const MemberId id : std::set<MemberId>(known_)) {
    if (parts_.membership->Find(id)) continue;
    parts_.peers->RemovePeer(id);
    known_.erase(id);
  }
  for (const MemberInfo& member : parts_.membership->Members()) {
    if (known_.contains(member.id)) parts_.peers->UpdatePeer(member.id, member.peer_urls);
    AddPeer(member);
  }
}

// ---- In -----------------------------------------------------------------------------------------

bool PeerService::Receive(raft::Message message) {
  return parts_.raft->Receive(std::move(message));
}

bool PeerService::IsRemoved(MemberId id) { return parts_.membership->IsRemoved(id); }

void PeerService::OnUnreachable(MemberId id) {
  parts_.raft->Run([id](raft::RawNode& node) { node.ReportUnreachable(id); });
}

void PeerService::OnSnapshotSent(MemberId to, bool ok) { parts_.raft->OnSnapshotSent(to, ok); }

void PeerService::OnRemovedFromCluster() { parts_.on_removed(); }

StatusOr<std::unique_ptr<peer::SnapshotReceiver>> PeerService::BeginSnapshot(
    const raft::Message& message) {
  if (message.snapshot == nullptr) return absl::InvalidArgumentError("no snapshot");
  ASSIGN_OR_RETURN(auto file, wal::snap::SnapDbReceiver::Create(*parts_.env, parts_.snap_dir,
                                                                message.snapshot->metadata.index));
  return std::make_unique<SnapDbWriter>(std::move(file));
}

// ---- Questions ----------------------------------------------------------------------------------

std::vector<MemberInfo> PeerService::Members() { return parts_.membership->Members(); }

peer::Versions PeerService::GetVersions() {
  return {.server = kServerVersion,
          .cluster = parts_.membership->cluster_version(),
          .storage = parts_.membership->storage_version()};
}

// Downgrades are not served, so none is ever under way; but the answer is a linearizable one.
void PeerService::DowngradeEnabled(peer::Completion<bool> done) {
  parts_.server->ReadIndex(Deadline(), NewOwnWait([done = std::move(done)](Error error) {
                             done({.error = error, .value = false});
                           }));
}

void PeerService::PromoteMember(MemberId id, const std::string& /*token*/,
                                peer::Completion<std::vector<MemberInfo>> done) {
  MemberChange change;
  change.kind = MemberChange::Kind::kPromote;
  change.id = id;
  parts_.server->ChangeMember(change, Deadline(),
                              NewOwnProposal([this, done = std::move(done)](Error error) {
                                done({.error = error, .value = Members()});
                              }));
}

void PeerService::HashKv(Revision revision, peer::Completion<peer::HashKvResult> done) {
  const bool queued = parts_.server->RunOnReadPool([this, revision, done] {
    etcdserverpb::HashKVResponse response;
    const Error error = parts_.server->HashKv(revision, &response);
    done({.error = error, .value = ToResult(response)});
  });
  if (!queued) done({.error = Error::kTooManyRequests, .value = {}});
}

void PeerService::RenewLease(LeaseId id, peer::Completion<int64_t> done) {
  parts_.leases->RenewHere(id, Deadline(), new ForeignRenewal(std::move(done)));
}

void PeerService::LeaseTimeToLive(LeaseId id, bool keys, peer::Completion<peer::LeaseTtl> done) {
  parts_.leases->TimeToLiveHere(id, keys, new ForeignTimeToLive(std::move(done)));
}

}  // namespace kvorum::server
