#include "raft/raw_node.h"

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {
namespace {

// Types that mean nothing without a term; one without it did not come from a raft core.
bool NeedsTerm(MessageType type) {
  return type != MessageType::kProp && type != MessageType::kReadIndex &&
         type != MessageType::kTransferLeader && type != MessageType::kForgetLeader;
}

bool IsRequest(MessageType type) {
  return type == MessageType::kProp || type == MessageType::kReadIndex;
}

}  // namespace

RawNode::RawNode(std::unique_ptr<RaftCore> core)
    : core_(std::move(core)),
      previous_soft_state_(core_->soft_state()),
      previous_hard_state_(core_->hard_state()) {}

RawNode::~RawNode() = default;

StatusOr<std::unique_ptr<RawNode>> RawNode::Create(const Config& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<RaftCore> core, RaftCore::Create(config));
  return std::unique_ptr<RawNode>(new RawNode(std::move(core)));
}

Status RawNode::Bootstrap(std::span<const Peer> peers) {
  RETURN_IF_ERROR(core_->Bootstrap(peers));
  previous_hard_state_ = HardState();  // so that the first Ready carries it
  return absl::OkStatus();
}

// ---- Inputs ----

void RawNode::Tick() { core_->Tick(); }

void RawNode::Campaign() { core_->Step({.type = MessageType::kHup, .from = id()}); }

ProposeResult RawNode::Propose(SharedBytes data) {
  std::vector<SharedBytes> one;
  one.push_back(std::move(data));
  return ProposeBatch(std::move(one));
}

ProposeResult RawNode::ProposeBatch(std::vector<SharedBytes> data) {
  Message m{.type = MessageType::kProp, .from = id()};
  m.entries.reserve(data.size());
  for (SharedBytes& bytes : data) m.entries.push_back({.data = std::move(bytes)});
  return core_->Propose(std::move(m));
}

ProposeResult RawNode::ProposeConfChange(const ConfChange& change) {
  Message m{.type = MessageType::kProp, .from = id()};
  m.entries.push_back(
      {.type = EntryType::kConfChange, .data = SharedBytes(change.SerializeAsString())});
  return core_->Propose(std::move(m));
}

ProposeResult RawNode::ProposeConfChange(const ConfChangeV2& change) {
  Message m{.type = MessageType::kProp, .from = id()};
  m.entries.push_back(
      {.type = EntryType::kConfChangeV2, .data = SharedBytes(change.SerializeAsString())});
  return core_->Propose(std::move(m));
}

void RawNode::Step(Message m) {
  if (static_cast<int>(m.type) >= kMessageTypeCount || IsLocalMessage(m.type)) return;
  if (m.from == kNone || m.to != id()) return;
  if (IsRequest(m.type)) {
    // Requests come back to us by detours: forwarded to a member that forwards to us.
    if (m.term != Term(0)) return;
    if (m.type == MessageType::kProp) m.from = id();
  } else if (m.type != MessageType::kTransferLeader && m.from == id()) {
    return;  // (there `from` is who is to take over)
  } else if (m.term == Term(0) && NeedsTerm(m.type)) {
    return;
  }
  if (IsResponseMessage(m.type) && core_->progress().count(m.from) == 0) return;
  core_->Step(std::move(m));
}

void RawNode::ReadIndex(SharedBytes context) {
  Message m{.type = MessageType::kReadIndex};
  m.entries.push_back({.data = std::move(context)});
  core_->Step(std::move(m));
}

void RawNode::TransferLeader(MemberId target) {
  core_->Step({.type = MessageType::kTransferLeader, .from = target});
}

void RawNode::ReportUnreachable(MemberId peer) {
  core_->Step({.type = MessageType::kUnreachable, .from = peer});
}

void RawNode::ReportSnapshot(MemberId peer, bool ok) {
  core_->Step({.type = MessageType::kSnapStatus, .from = peer, .reject = !ok});
}

void RawNode::ForgetLeader() { core_->Step({.type = MessageType::kForgetLeader, .from = id()}); }

void RawNode::StepDown() { core_->StepDown(); }

void RawNode::SetMayCampaign(bool may_campaign) { core_->SetMayCampaign(may_campaign); }

// ---- Outputs ----

bool RawNode::HasReady() const {
  RaftCore& core = *core_;
  return core.soft_state() != previous_soft_state_ || core.hard_state() != previous_hard_state_ ||
         core.log().unstable().HasNextEntries() || core.log().unstable().NextSnapshot() ||
         core.log().HasNextCommitted() || !core.messages().empty() ||
         !core.messages_after_append().empty() || !core.self_responses().empty() ||
         !core.read_states().empty();
}

Ready RawNode::TakeReady() {
  RaftLog& log = core_->log();
  Ready ready;
  if (const SoftState soft = core_->soft_state(); soft != previous_soft_state_) {
    ready.soft_state = previous_soft_state_ = soft;
  }
  ready.snapshot = log.unstable().NextSnapshot();
  ready.entries = log.unstable().NextEntries();
  const HardState hard = core_->hard_state();
  ready.must_sync = !ready.entries.empty() || ready.snapshot != nullptr ||
                    hard.term != previous_hard_state_.term ||
                    hard.vote != previous_hard_state_.vote;
  if (hard != previous_hard_state_) ready.hard_state = previous_hard_state_ = hard;
  ready.committed_entries = log.NextCommitted(core_->config().split_at_conf_change);
  ready.read_states = std::exchange(core_->read_states(), {});
  ready.messages = std::exchange(core_->messages(), {});
  ready.messages_after_append = std::exchange(core_->messages_after_append(), {});
  ready.needs_append = !ready.nothing_to_write() || !ready.messages_after_append.empty() ||
                       !core_->self_responses().empty();
  ready.commit_only = ready.needs_append && !ready.must_sync &&
                      ready.messages_after_append.empty() && core_->self_responses().empty();
  if (ready.needs_append) ready.append_ack = MakeAppendAck(ready);
  log.AcceptUnstable();
  log.AcceptApplying(ready.committed_entries, core_->config().split_at_conf_change);
  return ready;
}

AppendAck RawNode::MakeAppendAck(const Ready& ready) {
  AppendAck ack;
  ack.term = core_->term();
  // Also entries of earlier Readys: this ack comes after theirs, which may have become stale.
  if (!core_->log().unstable().entries().empty()) ack.last = core_->log().LastEntryId();
  ack.snapshot = ready.snapshot;
  ack.self_responses = std::exchange(core_->self_responses(), {});
  return ack;
}

void RawNode::OnAppended(AppendAck ack) { core_->OnAppended(std::move(ack)); }

void RawNode::OnApplied(Index index) { core_->OnApplied(index); }

ConfState RawNode::ApplyConfChange(Index index, const ConfChange& change) {
  return core_->ApplyConfChange(index, confchange::AsV2(change));
}

ConfState RawNode::ApplyConfChange(Index index, const ConfChangeV2& change) {
  return core_->ApplyConfChange(index, change);
}

// ---- Questions ----

MemberId RawNode::id() const { return core_->config().id; }
Term RawNode::term() const { return core_->term(); }
MemberId RawNode::vote() const { return core_->hard_state().vote; }
MemberId RawNode::leader() const { return core_->leader(); }
Role RawNode::role() const { return core_->role(); }
Index RawNode::committed() const { return core_->log().committed(); }
Index RawNode::applied() const { return core_->log().applied(); }
Index RawNode::last_index() const { return core_->log().LastIndex(); }
Index RawNode::stable_index() const { return core_->log().stable(); }
MemberId RawNode::transferee() const { return core_->transferee(); }
MemberId RawNode::BestTransferee() const { return core_->BestTransferee(); }
const tracker::Config& RawNode::config() const { return core_->membership(); }
ConfState RawNode::conf_state() const { return core_->membership().ToConfState(); }

bool RawNode::IsMember() const { return core_->progress().count(id()) > 0; }

bool RawNode::IsLearner() const {
  const auto it = core_->progress().find(id());
  return it != core_->progress().end() && it->second.is_learner();
}

std::optional<Index> RawNode::SoleVoterReadIndex() const {
  const RaftCore& core = *core_;
  if (core.role() != Role::kLeader || !core.IsSoleVoter() || !core.HasCommittedInTerm()) {
    return std::nullopt;
  }
  return core.log().committed();
}

BasicStatus RawNode::GetBasicStatus() const {
  const RaftCore& core = *core_;
  return {.id = id(),
          .hard_state = core.hard_state(),
          .soft_state = core.soft_state(),
          .applied = core.log().applied(),
          .last_index = core.log().LastIndex(),
          .transferee = core.transferee()};
}

NodeStatus RawNode::GetStatus() const {
  NodeStatus status;
  static_cast<BasicStatus&>(status) = GetBasicStatus();
  status.config = core_->membership();
  if (core_->role() == Role::kLeader) status.progress = core_->progress();
  return status;
}

}  // namespace kvorum::raft
