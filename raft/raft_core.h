#pragma once
// RaftCore: the state of one member and what messages do to it. RawNode wraps it for the outside.
//
// Follower, Candidate and Leader are alternatives of one variant, so state of a role cannot outlive
// the role: a new term or a lost election drops the transfer, the reads and the votes with it.
//
//   raft_core.cc      construction, roles, ticks, sending
//   step.cc           what every role does alike: terms, votes
//   step_follower.cc  appends, heartbeats, snapshots received
//   step_candidate.cc elections
//   step_leader.cc    proposals, reads, whose answer concerns whom
//   step_down.cc      handing over, the quorum check
//   replication.cc    what the leader sends to whom, and when something is committed
//   membership.cc     configuration changes
//
// Invariants: 1. term_ and log_.committed() never decrease. 2. A vote, once given, stands until the
// term ends. 3. A leader never replaces entries of its own log. 4. Only entries of the current term
// are committed by counting. 5. messages_ never holds an answer that promises something durable.

#include <deque>
#include <memory>
#include <optional>
#include <sstream>
#include <variant>
#include <vector>

#include "raft/confchange/changer.h"
#include "raft/config.h"
#include "raft/log.h"
#include "raft/raw_node.h"
#include "raft/read_only.h"
#include "raft/ready.h"
#include "raft/tracker/tracker.h"
#include "raft/types.h"

namespace kvorum::raft {

// Why an election starts; a transfer skips the pre-vote and is granted in spite of a living leader.
enum class Campaign : uint8_t { kTimer, kElection, kTransfer };
// Context of a vote request that comes from a transfer.
inline constexpr std::string_view kCampaignTransfer = "CampaignTransfer";

struct Follower {
  MemberId leader;  // 0: unknown
};

struct Candidate {
  bool pre = false;  // asking for opinions, not for votes
  quorum::Votes votes;
};

struct Leader {
  MemberId transferee;             // 0: no transfer running
  Index pending_conf_index;        // no change may be proposed before this is applied
  uint64_t uncommitted_bytes = 0;  // payload proposed and not yet applied
  ReadOnly reads;
  std::vector<Message> postponed_reads;  // until something is committed in this term
};

class RaftCore {
 public:
  static StatusOr<std::unique_ptr<RaftCore>> Create(const Config& config);
  Status Bootstrap(std::span<const Peer> peers);

  // ---- Inputs (RawNode has filtered what came from the network) ----
  void Tick();
  void Step(Message m);
  ProposeResult Propose(Message m);
  void StepDown();
  void SetMayCampaign(bool may);
  void OnAppended(AppendAck ack);
  void OnApplied(Index index);
  ConfState ApplyConfChange(Index index, const ConfChangeV2& change);

  // ---- Outputs, taken by RawNode ----
  std::vector<Message>& messages() { return messages_; }
  std::vector<Message>& messages_after_append() { return messages_after_append_; }
  std::vector<Message>& self_responses() { return self_responses_; }
  std::vector<ReadState>& read_states() { return read_states_; }
  RaftLog& log() { return log_; }

  // ---- Questions ----
  const Config& config() const { return config_; }
  Term term() const { return term_; }
  HardState hard_state() const {
    return {.term = term_, .vote = vote_, .commit = log_.committed()};
  }
  SoftState soft_state() const { return {.leader = leader(), .role = role()}; }
  MemberId leader() const;
  Role role() const;
  MemberId transferee() const { return IsLeader() ? lead().transferee : kNone; }
  const RaftLog& log() const { return log_; }
  const tracker::Config& membership() const { return membership_; }
  const tracker::ProgressMap& progress() const { return progress_; }
  bool IsSoleVoter() const;
  bool HasCommittedInTerm() const;
  MemberId BestTransferee() const;

 private:
  explicit RaftCore(const Config& config);
  Status Load();

  // ---- raft_core.cc ----
  bool IsLeader() const { return std::holds_alternative<Leader>(role_); }
  Leader& lead() { return std::get<Leader>(role_); }
  const Leader& lead() const { return std::get<Leader>(role_); }
  tracker::Progress* FindProgress(MemberId id);
  void Reset(Term term);
  void BecomeFollower(Term term, MemberId leader);
  void BecomeCandidate();
  void BecomePreCandidate();
  void BecomeLeader();
  void TickElection();
  void TickLeader();
  bool IsPromotable() const;
  void AppliedTo(Index index);
  // Fills in from and term, and sorts `m` into the right queue.
  void Send(Message m);

  // ---- step.cc ----
  // False: `m` must not be processed any further.
  bool AdmitHigherTerm(const Message& m);
  void AnswerLowerTerm(const Message& m);
  void HandleVoteRequest(const Message& m);

  // ---- step_follower.cc ----
  void StepFollower(Message m);
  void HandleLeaderMessage(Message m);
  void HandleAppend(Message m);
  void HandleHeartbeat(const Message& m);
  void HandleSnapshot(const Message& m);
  bool RestoreSnapshot(const SnapshotPtr& snapshot);
  void ForwardToLeader(Message m);

  // ---- step_candidate.cc ----
  void Hup(Campaign kind);
  void StartCampaign(Campaign kind);
  void StepCandidate(Message m);
  void HandleVoteResponse(const Message& m);

  // ---- step_leader.cc ----
  void StepLeader(Message m);
  ProposeResult ProposeAsLeader(Message m);
  bool AdmitConfChanges(std::vector<Entry>* entries);
  std::string WhyNotNow(const ConfChangeV2& change) const;
  bool AppendEntries(std::vector<Entry> entries);
  void HandleReadIndex(Message m);
  void StartRead(Message m);
  void AnswerRead(const Message& request, Index index);
  void AnswerConfirmedReads();
  void ReleasePostponedReads();

  // ---- step_down.cc ----
  void HandleTransferRequest(const Message& m, const tracker::Progress& pr);
  void AbortTransfer();
  void CheckQuorum();

  // ---- replication.cc ----
  void BroadcastAppend();
  void BroadcastHeartbeat();
  void SendAppend(MemberId to) { (void)MaybeSendAppend(to, /*send_if_empty=*/true); }
  // False if nothing was sent.
  bool MaybeSendAppend(MemberId to, bool send_if_empty);
  bool MaybeSendSnapshot(MemberId to, tracker::Progress* pr);
  void HandleAppendResponse(const Message& m, tracker::Progress* pr);
  void HandleRejection(const Message& m, tracker::Progress* pr);
  void HandleHeartbeatResponse(const Message& m, tracker::Progress* pr);
  void HandleSnapshotStatus(const Message& m, tracker::Progress* pr);
  // True if the commit index moved.
  bool MaybeCommit();

  // ---- membership.cc ----
  confchange::ProgressLimits limits() const;
  // `change` is admitted here, and leads from the configuration in force to a possible one.
  bool CanApply(const ConfChangeV2& change) const;
  confchange::Result Changed(confchange::Result from, const ConfChangeV2& change) const;
  void ForgetSuperseded(Index index);
  ConfState SwitchTo(confchange::Result to);
  void MaybeLeaveJoint();

  template <typename... Args>
  void Trace(TraceLevel level, const Args&... args) const {
    if (!config_.trace) return;
    std::ostringstream line;
    (line << HexId(config_.id) << ... << args);
    config_.trace(level, line.str());
  }

  const Config config_;
  RaftLog log_;

  // Durable (HardState); the commit index is in log_.
  Term term_;
  MemberId vote_;

  std::variant<Follower, Candidate, Leader> role_;
  tracker::Config membership_;
  tracker::ProgressMap progress_;  // of every member; meaningful on a leader

  // What was in force before a snapshot came, for batches handed out earlier and still being
  // applied.
  struct Superseded {
    Index by;  // the snapshot's index
    confchange::Result members;
  };
  std::deque<Superseded> superseded_;

  int election_elapsed_ = 0;   // since the last sign of a leader (leader: since its last check)
  int heartbeat_elapsed_ = 0;  // leader only
  int randomized_election_timeout_ = 0;
  bool may_campaign_ = true;

  // Outputs since the last Ready.
  std::vector<Message> messages_;
  std::vector<Message> messages_after_append_;
  std::vector<Message> self_responses_;
  std::vector<ReadState> read_states_;
};

}  // namespace kvorum::raft
