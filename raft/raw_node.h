#pragma once
// RawNode: the face of the raft core. Contract: raft.h.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "raft/config.h"
#include "raft/ready.h"
#include "raft/tracker/tracker.h"
#include "raft/types.h"

namespace kvorum::raft {

class RaftCore;

enum class [[nodiscard]] ProposeResult : uint8_t{
    kOk,               // appended here, or forwarded to the leader; it may still be lost
    kNoLeader,         // no leader known
    kTransferring,     // leadership is being handed over; try again at the new leader
    kNotMember,        // this leader has been removed from the configuration
    kUncommittedFull,  // Config::max_uncommitted_bytes
    kNotForwarded,     // a follower with Config::disable_proposal_forwarding
    kInvalid,          // no entries, or a configuration change nobody could apply
};

// A member of a cluster about to be bootstrapped; `context` goes into its ConfChange.
struct Peer {
  MemberId id;
  std::string context;
};

struct BasicStatus {
  MemberId id;
  HardState hard_state;  // in memory, may be ahead of the last one written
  SoftState soft_state;
  Index applied;
  Index last_index;
  MemberId transferee;  // 0: no transfer running
};

struct NodeStatus : BasicStatus {
  tracker::Config config;
  std::map<MemberId, tracker::Progress> progress;  // empty unless leader
};

class RawNode {
 public:
  // InvalidArgument or FailedPrecondition (text says what) if config, stored state and log do not
  // fit together. The node starts as a follower that knows no leader.
  static StatusOr<std::unique_ptr<RawNode>> Create(const Config& config);
  ~RawNode();
  RawNode(const RawNode&) = delete;
  RawNode& operator=(const RawNode&) = delete;

  // Gives a new cluster its first log: one AddNode entry per peer (in the order given; every member
  // must use the same) at term 1, committed; they come out of Ready like any other entry and are
  // applied by the caller as well. FailedPrecondition if the storage is not empty.
  Status Bootstrap(std::span<const Peer> peers);

  // ---- Inputs. Each may make HasReady() true. ----

  // One tick of the logical clock.
  void Tick();
  // Starts an election now (with a pre-vote if configured); ignored where the timer's would be.
  void Campaign();
  // Proposes one normal entry. kOk promises nothing: watch the committed entries.
  ProposeResult Propose(SharedBytes data);
  // Several at once, in order, all or none; one kApp carries them.
  ProposeResult ProposeBatch(std::vector<SharedBytes> data);
  // A change that may not be proposed now (another is unapplied, or already joint) becomes an empty
  // entry, as in the reference: still kOk. One that could not be applied, because it takes away the
  // last voter or does not parse, is kInvalid.
  ProposeResult ProposeConfChange(const ConfChange& change);
  ProposeResult ProposeConfChange(const ConfChangeV2& change);
  // A message from a peer. Local types, answers from strangers and malformed ones are dropped.
  void Step(Message message);
  // Asks for a linearizable read point; comes back in Ready::read_states with the same context. May
  // be lost without a trace (no leader, leader change, network): ask again after a while.
  void ReadIndex(SharedBytes context);
  // On the leader, starts handing over to `target`; on a follower, asks the leader to. Ends by a
  // leader change, or is given up after an election timeout.
  void TransferLeader(MemberId target);
  // The transport could not deliver to `peer` / has finished the snapshot it was sending.
  void ReportUnreachable(MemberId peer);
  void ReportSnapshot(MemberId peer, bool ok);
  // Follower: forget the leader without touching the term, so that a vote may be granted.
  void ForgetLeader();
  // Leader: become a follower at the same term, whether or not anyone takes over. Does nothing on a
  // sole voter, whom nobody could replace.
  void StepDown();
  // False: give up a running campaign and start none, also when told to by TimeoutNow (a member
  // that could not do a leader's work, say with a stalled disk). A leader goes on leading.
  void SetMayCampaign(bool may_campaign);

  // ---- Outputs and their acknowledgements. ----

  bool HasReady() const;
  // Everything to do now. Takes it: the same thing is never handed out twice.
  Ready TakeReady();
  // The append of the Ready that `ack` came with is durable. In order, once each.
  void OnAppended(AppendAck ack);
  // The state machine has applied up to and including `index`; not below an earlier call.
  void OnApplied(Index index);
  // The configuration change committed at `index` takes effect, or, with node id 0, was refused.
  // Returns the configuration in force at `index`, to be stored along with it. In order, before
  // OnApplied of that index. When a snapshot received meanwhile already covers `index`, only the
  // answer is computed: the core goes by the snapshot's configuration.
  ConfState ApplyConfChange(Index index, const ConfChange& change);
  ConfState ApplyConfChange(Index index, const ConfChangeV2& change);

  // ---- Questions. Cheap unless said otherwise. ----

  MemberId id() const;
  Term term() const;
  MemberId vote() const;
  MemberId leader() const;
  Role role() const;
  Index committed() const;
  Index applied() const;
  Index last_index() const;
  // Newest index known durable here; committed entries are handed out up to it.
  Index stable_index() const;
  MemberId transferee() const;
  // Leader, only voter, and an entry of the own term is committed: a read of everything applied up
  // to this index is linearizable without asking anyone. The server publishes it as one atomic.
  std::optional<Index> SoleVoterReadIndex() const;
  // On a leader, whom to hand over to: of the other voters that stay voters, those heard from since
  // the last quorum check or else those heard from in the interval before it; of these the one with
  // the longest log, and of equals the one with the lowest id. 0: none, or not the leader. If it is
  // gone after all, TransferLeader to it gives up after an election timeout.
  MemberId BestTransferee() const;
  const tracker::Config& config() const;
  ConfState conf_state() const;
  // In the configuration in force, as voter or learner.
  bool IsMember() const;
  bool IsLearner() const;
  BasicStatus GetBasicStatus() const;
  // Copies the progress of every member.
  NodeStatus GetStatus() const;

 private:
  explicit RawNode(std::unique_ptr<RaftCore> core);
  AppendAck MakeAppendAck(const Ready& ready);

  std::unique_ptr<RaftCore> core_;
  SoftState previous_soft_state_;
  HardState previous_hard_state_;
};

}  // namespace kvorum::raft
