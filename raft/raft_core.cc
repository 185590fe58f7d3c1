#include "raft/raft_core.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/check.h"
#include "raft/confchange/restore.h"

namespace kvorum::raft {
namespace {

// Answers that promise something on disk, and the request whose answers will be counted for it.
bool MustWaitForAppend(MessageType type) {
  return type == MessageType::kAppResp || type == MessageType::kVoteResp ||
         type == MessageType::kPreVoteResp || type == MessageType::kVote;
}

bool SetsOwnTerm(MessageType type) {
  return type == MessageType::kVote || type == MessageType::kVoteResp ||
         type == MessageType::kPreVote || type == MessageType::kPreVoteResp;
}

Config WithDefaults(Config config) {
  if (config.max_applying_bytes == 0) config.max_applying_bytes = config.max_message_bytes;
  config.max_applying_bytes = std::max<uint64_t>(config.max_applying_bytes, 1);
  return config;
}

}  // namespace

// ---- Construction ----

RaftCore::RaftCore(const Config& config)
    : config_(WithDefaults(config)), log_(config.storage, config_.max_applying_bytes) {}

StatusOr<std::unique_ptr<RaftCore>> RaftCore::Create(const Config& config) {
  RETURN_IF_ERROR(config.Validate());
  std::unique_ptr<RaftCore> core(new RaftCore(config));
  RETURN_IF_ERROR(core->Load());
  return core;
}

Status RaftCore::Load() {
  const ConfState stored = config_.conf_state.value_or(config_.storage->conf_state());
  ASSIGN_OR_RETURN(confchange::Result members,
                   confchange::Restore(stored, log_.LastIndex(), limits()));
  if (!Equivalent(stored, SwitchTo(std::move(members)))) {
    return absl::FailedPreconditionError("raft: the stored configuration cannot be restored");
  }
  const HardState& state = config_.storage->initial_hard_state();
  if (!state.empty()) {
    if (state.commit < log_.committed() || state.commit > log_.LastIndex()) {
      return absl::FailedPreconditionError(
          absl::StrCat("raft: commit ", state.commit.value(), " is outside the log [",
                       log_.committed().value(), ", ", log_.LastIndex().value(), "]"));
    }
    log_.LoadCommitted(state.commit);
    term_ = state.term;
    vote_ = state.vote;
  }
  if (config_.applied != Index(0)) {
    if (config_.applied < log_.applied() || config_.applied > log_.committed()) {
      return absl::FailedPreconditionError(absl::StrCat("raft: applied ", config_.applied.value(),
                                                        " is outside [", log_.applied().value(),
                                                        ", ", log_.committed().value(), "]"));
    }
    log_.LoadApplied(config_.applied);
  }
  BecomeFollower(term_, kNone);
  return absl::OkStatus();
}

Status RaftCore::Bootstrap(std::span<const Peer> peers) {
  if (peers.empty()) return absl::InvalidArgumentError("raft: a cluster needs a peer");
  if (log_.LastIndex() != Index(0) || term_ != Term(0)) {
    return absl::FailedPreconditionError("raft: cannot bootstrap over a log");
  }
  BecomeFollower(Term(1), kNone);
  std::vector<Entry> entries;
  for (const Peer& peer : peers) {
    ConfChange change;
    change.set_type(raftpb::ConfChangeAddNode);
    change.set_node_id(peer.id.value());
    if (!peer.context.empty()) change.set_context(peer.context);
    entries.push_back({.type = EntryType::kConfChange,
                       .term = term_,
                       .index = Index(entries.size() + 1),
                       .data = SharedBytes(change.SerializeAsString())});
  }
  log_.Append(std::move(entries));
  log_.CommitTo(Index(peers.size()));
  // In force now, so that elections can start; applying the entries repeats it without effect.
  for (size_t i = 0; i < peers.size(); ++i) {
    ConfChange change;
    change.set_type(raftpb::ConfChangeAddNode);
    change.set_node_id(peers[i].id.value());
    ApplyConfChange(Index(i + 1), confchange::AsV2(change));
  }
  return absl::OkStatus();
}

// ---- Roles ----

Role RaftCore::role() const {
  if (IsLeader()) return Role::kLeader;
  const auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr) return Role::kFollower;
  return candidate->pre ? Role::kPreCandidate : Role::kCandidate;
}

MemberId RaftCore::leader() const {
  if (IsLeader()) return config_.id;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower == nullptr ? kNone : follower->leader;
}

tracker::Progress* RaftCore::FindProgress(MemberId id) {
  const auto it = progress_.find(id);
  return it == progress_.end() ? nullptr : &it->second;
}

bool RaftCore::IsPromotable() const {
  const auto it = progress_.find(config_.id);
  return it != progress_.end() && !it->second.is_learner() && !log_.HasPendingSnapshot();
}

void RaftCore::Reset(Term term) {
  CHECK_LE(term_, term);
  if (term_ != term) {
    term_ = term;
    vote_ = kNone;
  }
  election_elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  const auto timeout = static_cast<uint64_t>(config_.election_timeout_ticks);
  randomized_election_timeout_ = static_cast<int>(timeout + config_.random->Uniform(timeout));
  const Index last = log_.LastIndex();
  for (auto& [id, pr] : progress_) {
    pr = tracker::Progress({.match = id == config_.id ? last : Index(0),
                            .next = last + 1,
                            .is_learner = pr.is_learner(),
                            .max_inflight_messages = config_.max_inflight_messages,
                            .max_inflight_bytes = config_.max_inflight_bytes});
  }
}

void RaftCore::BecomeFollower(Term term, MemberId leader) {
  Reset(term);
  role_ = Follower{.leader = leader};
  Trace(TraceLevel::kInfo, " became follower at term ", term_.value());
}

void RaftCore::BecomeCandidate() {
  CHECK(!IsLeader()) << "a leader does not campaign";
  Reset(term_ + 1);
  vote_ = config_.id;
  role_ = Candidate{.pre = false, .votes = {}};
  Trace(TraceLevel::kInfo, " became candidate at term ", term_.value());
}

void RaftCore::BecomePreCandidate() {
  CHECK(!IsLeader()) << "a leader does not campaign";
  // Term, vote and timers stay: a pre-vote must leave no trace if it fails.
  role_ = Candidate{.pre = true, .votes = {}};
  Trace(TraceLevel::kInfo, " became pre-candidate at term ", term_.value());
}

void RaftCore::BecomeLeader() {
  CHECK(role() == Role::kCandidate) << "only a candidate becomes leader";
  Reset(term_);
  role_ = Leader{};
  // Our own log may hold changes of earlier terms that are not applied yet.
  lead().pending_conf_index = log_.LastIndex();
  if (tracker::Progress* self = FindProgress(config_.id)) {
    self->BecomeReplicate();
    self->set_recent_active(true);
  }
  CHECK(AppendEntries({Entry{}})) << "an empty entry is never refused";
  Trace(TraceLevel::kInfo, " became leader at term ", term_.value());
}

void RaftCore::SetMayCampaign(bool may) {
  may_campaign_ = may;
  // Answers that are still on their way must not elect us either.
  if (!may && std::holds_alternative<Candidate>(role_)) BecomeFollower(term_, kNone);
}

// ---- Time ----

void RaftCore::Tick() {
  if (IsLeader()) {
    TickLeader();
  } else {
    TickElection();
  }
}

void RaftCore::TickElection() {
  ++election_elapsed_;
  if (!IsPromotable() || election_elapsed_ < randomized_election_timeout_) return;
  election_elapsed_ = 0;
  Hup(Campaign::kTimer);
}

void RaftCore::TickLeader() {
  ++heartbeat_elapsed_;
  if (++election_elapsed_ >= config_.election_timeout_ticks) {
    election_elapsed_ = 0;
    if (config_.check_quorum) CheckQuorum();
    if (IsLeader() && lead().transferee != kNone) AbortTransfer();
  }
  if (!IsLeader() || heartbeat_elapsed_ < config_.heartbeat_ticks) return;
  heartbeat_elapsed_ = 0;
  BroadcastHeartbeat();
}

// ---- Sending ----

void RaftCore::Send(Message m) {
  if (m.from == kNone) m.from = config_.id;
  if (SetsOwnTerm(m.type)) {
    CHECK_NE(m.term, Term(0)) << Name(m.type);
  } else if (m.type == MessageType::kProp || m.type == MessageType::kReadIndex) {
    // They are requests on somebody's behalf and bound to no term.
    m.term = Term(0);
  } else {
    m.term = term_;
  }
  if (m.to == config_.id) {
    CHECK(MustWaitForAppend(m.type)) << Name(m.type) << " to itself";
    self_responses_.push_back(std::move(m));
  } else if (MustWaitForAppend(m.type)) {
    messages_after_append_.push_back(std::move(m));
  } else {
    messages_.push_back(std::move(m));
  }
}

// ---- Acknowledgements ----

void RaftCore::OnAppended(AppendAck ack) {
  if (ack.snapshot && log_.StableSnapshotTo(ack.snapshot)) {
    AppliedTo(ack.snapshot->metadata.index);
  }
  // An ack of an older term may speak of entries that were overwritten and came back since: not
  // these.
  if (ack.term == term_ && ack.last.index != Index(0)) log_.StableTo(ack.last);
  for (Message& m : ack.self_responses) Step(std::move(m));
}

void RaftCore::OnApplied(Index index) {
  ForgetSuperseded(index + 1);
  AppliedTo(index);
}

void RaftCore::AppliedTo(Index index) {
  const uint64_t released = log_.AppliedTo(index);
  if (!IsLeader()) return;
  lead().uncommitted_bytes -= std::min(lead().uncommitted_bytes, released);
  MaybeLeaveJoint();
}

}  // namespace kvorum::raft
