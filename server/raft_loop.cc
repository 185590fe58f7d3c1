#include "server/raft_loop.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace kvorum::server {
namespace {

int64_t CostOf(const RaftLoop::Proposal& proposal) {
  return static_cast<int64_t>(sizeof(proposal) + proposal.data.size());
}

int64_t CostOf(const raft::Message& message) {
  uint64_t cost = sizeof(message) + message.context.size();
  for (const raft::Entry& entry : message.entries) cost += sizeof(entry) + entry.data.size();
  if (message.snapshot) cost += message.snapshot->data.size();
  return static_cast<int64_t>(cost);
}

SharedBytes ReadContext(uint64_t id) {
  std::string bytes;
  AppendBigEndian64(&bytes, id);
  return SharedBytes(std::move(bytes));
}

Error ErrorOf(raft::ProposeResult result) {
  return result == raft::ProposeResult::kOk ? Error::kOk : Error::kProposalDropped;
}

}  // namespace

RaftLoop::RaftLoop(Options options, const Parts& parts, Output output)
    : id_(options.node->id()),
      options_(std::move(options)),
      parts_(parts),
      output_(std::move(output)),
      storage_(*options_.storage),
      node_(*options_.node),
      next_tick_(options_.clock->Now() + options_.tick_interval) {
  last_tick_.store(options_.clock->Now().time_since_epoch().count());
  Publish();
}

// ---- In: any thread -----------------------------------------------------------------------------

bool RaftLoop::Propose(Proposal proposal) {
  const int64_t cost = CostOf(proposal);
  return inbox_.TryPush(Event(std::move(proposal)), cost, Wakeup::kMayWait);
}

void RaftLoop::ProposeConfChange(raftpb::ConfChange change) {
  inbox_.Push(Event(ConfChangeProposal{std::move(change)}), 0);
}

bool RaftLoop::Receive(raft::Message message) {
  const int64_t cost = CostOf(message);
  if (received_bytes_.fetch_add(cost, std::memory_order_relaxed) > kMessageBytes) {
    received_bytes_.fetch_sub(cost, std::memory_order_relaxed);
    return false;
  }
  inbox_.Push(Event(Received{.message = std::move(message), .cost = cost}), 0);
  return true;
}

bool RaftLoop::Run(std::function<void(raft::RawNode&)> work) {
  return inbox_.Push(Event(std::move(work)), 0);
}

void RaftLoop::OnSnapshotSent(MemberId to, bool ok) {
  Run([this, to, ok](raft::RawNode& node) {
    node.ReportSnapshot(to, ok);
    --snapshots_under_way_;
    if (ok) keep_log_until_ = options_.clock->Now() + kSnapshotCatchup;
  });
}

void RaftLoop::Close() {
  inbox_.Close();
  Step(Wait::kNo);
  FlushDeferred();
}

void RaftLoop::WakeForReads() { inbox_.Push(Event(ReadsWaiting{}), 0); }

void RaftLoop::OnDurable(WalStage::Durable durable) { inbox_.Push(Event(std::move(durable)), 0); }

void RaftLoop::OnConfChange(Index index, raftpb::ConfChange change) {
  inbox_.Push(Event(ConfChangeApplied{.index = index, .change = std::move(change)}), 0);
}

void RaftLoop::OnApplied(Index index) { inbox_.Push(Event(Applied{index}), 0); }

std::optional<Index> RaftLoop::sole_voter_read_point() const {
  const uint64_t point = read_point_.load(std::memory_order_acquire);
  return point == 0 ? std::nullopt : std::optional(Index(point));
}

// ---- The loop -----------------------------------------------------------------------------------

bool RaftLoop::Step(Wait wait) {
  // What the node has to say from the start waits for no event.
  const bool block = wait == Wait::kYes && std::exchange(stepped_, true);
  std::vector<Event> events = block ? inbox_.PopAll(next_tick_) : inbox_.TryPopAll();
  const TimePoint now = options_.clock->Now();
  const bool ticked = TickIfDue(now);
  if (events.empty() && !ticked && !node_.HasReady()) return false;
  for (Event& event : events) std::visit([this](auto& e) { Handle(e); }, event);
  CampaignIfAlone();
  ProposeHeld();
  AskReadIndex(now);
  while (node_.HasReady()) HandleReady(node_.TakeReady());
  Publish();
  return true;
}

bool RaftLoop::TickIfDue(TimePoint now) {
  if (now < next_tick_) return false;
  last_tick_.store(now.time_since_epoch().count());
  // Ticks missed by a loop that did not run are not made up for: time passed for nobody else in it.
  next_tick_ += options_.tick_interval;
  if (next_tick_ <= now) next_tick_ = now + options_.tick_interval;
  node_.Tick();
  FlushDeferred();
  ExpireHeld(now);
  parts_.wait_list->Expire(now, [] { return Error::kTimeout; });
  parts_.read_index->Expire(now);
  return true;
}

// Without a leader a proposal has not entered the log: its call ends as if it had never begun.
void RaftLoop::ExpireHeld(TimePoint now) {
  std::deque<Proposal> kept;
  for (Proposal& proposal : held_) {
    if (proposal.deadline > now) {
      kept.push_back(std::move(proposal));
      continue;
    }
    held_bytes_ -= CostOf(proposal);
    parts_.wait_list->Fail(proposal.request_id, Error::kDeadlineExceeded);
  }
  held_.swap(kept);
}

// A member that needs nobody's vote does not wait for an election timeout.
void RaftLoop::CampaignIfAlone() {
  if (node_.leader() != raft::kNone || node_.role() != raft::Role::kFollower) return;
  const raftpb::ConfState state = node_.conf_state();
  const bool alone = state.voters_size() == 1 && state.voters_outgoing_size() == 0 &&
                     MemberId(state.voters(0)) == id_;
  if (alone) node_.Campaign();
}

void RaftLoop::Handle(Proposal& proposal) {
  const int64_t cost = CostOf(proposal);
  if (held_bytes_ > 0 && held_bytes_ + cost > kProposalBytes) {
    parts_.wait_list->Fail(proposal.request_id, Error::kTooManyRequests);
    return;
  }
  held_bytes_ += cost;
  held_.push_back(std::move(proposal));
}

void RaftLoop::Handle(ConfChangeProposal& proposal) {
  const raft::ProposeResult result = node_.ProposeConfChange(proposal.change);
  if (result != raft::ProposeResult::kOk && proposal.change.id() != 0) {
    parts_.wait_list->Fail(proposal.change.id(), ErrorOf(result));
  }
}

void RaftLoop::Handle(Received& received) {
  received_bytes_.fetch_sub(received.cost, std::memory_order_relaxed);
  node_.Step(std::move(received.message));
}

void RaftLoop::Handle(WalStage::Durable& durable) {
  for (raft::SnapshotPtr& snapshot : durable.snapshots) output_.install(std::move(snapshot));
  for (raft::AppendAck& ack : durable.acks) node_.OnAppended(std::move(ack));
  if (conf_change_under_way_ == Index(0)) {
    Send(std::move(durable.messages));
  } else {
    for (raft::Message& message : durable.messages) {
      messages_held_back_.push_back(std::move(message));
    }
  }
}

void RaftLoop::Handle(ConfChangeApplied& applied) {
  node_.ApplyConfChange(applied.index, applied.change);
  Publish();
}

void RaftLoop::Handle(Applied& applied) {
  node_.OnApplied(applied.index);
  if (conf_change_under_way_ <= applied.index) {
    conf_change_under_way_ = Index(0);
    Send(std::exchange(messages_held_back_, {}));
  }
  CompactMemory(applied.index);
}

void RaftLoop::ProposeHeld() {
  if (held_.empty() || node_.leader() == raft::kNone || output_.log_congested()) return;
  std::vector<SharedBytes> batch;
  batch.reserve(held_.size());
  for (const Proposal& proposal : held_) batch.push_back(proposal.data);
  const raft::ProposeResult result = node_.ProposeBatch(std::move(batch));
  if (result != raft::ProposeResult::kOk) {
    for (const Proposal& proposal : held_) {
      parts_.wait_list->Fail(proposal.request_id, ErrorOf(result));
    }
  }
  held_.clear();
  held_bytes_ = 0;
}

void RaftLoop::AskReadIndex(TimePoint now) {
  const uint64_t id = parts_.request_ids->Next();
  if (parts_.read_index->StartRound(now, id, std::exchange(retry_reads_, false))) {
    node_.ReadIndex(ReadContext(id));
  }
}

// ---- Out ----------------------------------------------------------------------------------------

void RaftLoop::HandleReady(raft::Ready ready) {
  // Before anything leaves: who learns of a commit from us must not find us reading behind it.
  Publish();
  if (ready.soft_state) OnSoftState(*ready.soft_state);
  for (const raft::ReadState& state : ready.read_states) {
    CHECK_EQ(state.context.size(), sizeof(uint64_t));
    parts_.read_index->OnAnswer(ReadBigEndian64(state.context.view()), state.index);
  }
  // An answered round makes room for the reads that came meanwhile.
  if (!ready.read_states.empty()) AskReadIndex(options_.clock->Now());
  Send(std::move(ready.messages));
  if (ready.needs_append) WriteReady(ready);
  if (!ready.committed_entries.empty()) HandOutCommitted(std::move(ready.committed_entries));
}

void RaftLoop::WriteReady(raft::Ready& ready) {
  if (ready.snapshot) {
    FlushDeferred();
    deferred_.snapshot = std::move(ready.snapshot);
  }
  if (ready.hard_state) deferred_.hard_state = ready.hard_state;
  deferred_.acks.push_back(std::move(ready.append_ack));
  deferred_.entries = std::move(ready.entries);
  deferred_.messages = std::move(ready.messages_after_append);
  if (!ready.commit_only) FlushDeferred();
}

void RaftLoop::FlushDeferred() {
  if (!deferred_.acks.empty()) output_.append(std::exchange(deferred_, {}));
}

void RaftLoop::OnSoftState(const raft::SoftState& state) {
  const MemberId old_leader = leader();
  leader_.store(state.leader.value(), std::memory_order_relaxed);
  if (state.leader != raft::kNone && state.leader != old_leader) {
    leader_changes_total.Add();
    parts_.read_index->OnLeaderChange();
  }
  const bool leads = state.role == raft::Role::kLeader;
  if (leads != was_leader_) output_.on_leadership(leads);
  was_leader_ = leads;
}

void RaftLoop::HandOutCommitted(std::vector<LogEntry> entries) {
  for (const LogEntry& entry : entries) {
    if (raft::IsConfChange(entry)) conf_change_under_way_ = entry.index;
    // The first entry of our own term: only from here on can a leader answer reads.
    if (entry.data.empty() && entry.term == node_.term()) retry_reads_ = true;
    bytes_handed_out_ += entry.data.size();
  }
  marks_.push_back({.index = entries.back().index, .bytes = bytes_handed_out_});
  if (retry_reads_) AskReadIndex(options_.clock->Now());
  output_.apply(std::move(entries));
}

// What a follower needs below the catch-up entries it gets as a snapshot.
void RaftLoop::CompactMemory(Index applied) {
  if (KeepsForSnapshot()) return;
  const Index last = LastToForget(applied);
  if (last < storage_.FirstIndex() + kCompactEvery) return;
  CHECK_OK(storage_.CreateSnapshot(applied, node_.conf_state(), SharedBytes()));
  CHECK_OK(storage_.Compact(last));
}

bool RaftLoop::KeepsForSnapshot() const {
  if (snapshots_under_way_ == 0 && options_.clock->Now() >= keep_log_until_) return false;
  return marks_.empty() || bytes_handed_out_ - marks_.front().bytes < kSnapshotCatchupBytes;
}

Index RaftLoop::LastToForget(Index applied) {
  Index last(applied.value() - std::min(applied.value(), options_.catchup_entries));
  while (!marks_.empty() && marks_.front().index <= applied) {
    const bool too_many_bytes = bytes_handed_out_ - marks_.front().bytes > kCatchupBytes;
    if (!too_many_bytes && marks_.front().index > last) break;
    last = std::max(last, marks_.front().index);
    marks_.pop_front();
  }
  return last;
}

void RaftLoop::Send(std::vector<raft::Message> messages) {
  for (const raft::Message& message : messages) {
    if (message.type == raft::MessageType::kSnap) ++snapshots_under_way_;
  }
  if (!messages.empty()) output_.send(std::move(messages));
}

void RaftLoop::Publish() {
  term_.store(node_.term().value(), std::memory_order_relaxed);
  committed_.store(node_.committed().value(), std::memory_order_release);
  const std::optional<Index> point = node_.SoleVoterReadIndex();
  read_point_.store(point ? point->value() : 0, std::memory_order_release);
}

}  // namespace kvorum::server
