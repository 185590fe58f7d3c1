#include "raft/raw_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using ::testing::ElementsAre;
using testing::Member;
using testing::MemberOptions;

Config MakeConfig(MemoryStorage* storage, Random* random) {
  Config config;
  config.id = MemberId(1);
  config.storage = storage;
  config.random = random;
  return config;
}

class RawNodeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Random> random_ = NewSeededRandom(1);
  MemoryStorage storage_;
};

Member BootstrappedMember(bool pre_vote) {
  Member m({.id = MemberId(1), .pre_vote = pre_vote, .check_quorum = true});
  const Peer peers[] = {{.id = MemberId(1), .context = "ctx"}};
  EXPECT_TRUE(m.node().Bootstrap(peers).ok());
  return m;
}

// ---- A cluster of one ----

TEST_F(RawNodeTest, BootstrapWritesOneCommittedChangePerPeer) {
  ASSERT_TRUE(storage_.initial_hard_state().empty());
  auto node = RawNode::Create(MakeConfig(&storage_, random_.get()));
  ASSERT_TRUE(node.ok());
  const Peer peers[] = {{.id = MemberId(1), .context = "a"}, {.id = MemberId(2), .context = "b"}};
  ASSERT_TRUE((*node)->Bootstrap(peers).ok());
  Ready ready = (*node)->TakeReady();
  ASSERT_TRUE(ready.hard_state.has_value());
  EXPECT_EQ(*ready.hard_state, (HardState{Term(1), MemberId(0), Index(2)}));
  ASSERT_EQ(ready.entries.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const Entry& e = ready.entries[i];
    EXPECT_EQ(e.type, EntryType::kConfChange);
    EXPECT_EQ(e.term, Term(1));
    EXPECT_EQ(e.index, Index(i + 1));
    ConfChange change;
    ASSERT_TRUE(change.ParseFromString(std::string(e.data.view())));
    EXPECT_EQ(change.type(), raftpb::ConfChangeAddNode);
    EXPECT_EQ(change.node_id(), i + 1);
    EXPECT_EQ(change.context(), peers[i].context);
    EXPECT_FALSE(change.has_id());
  }
  EXPECT_TRUE(ready.must_sync);
  // Nothing may be applied before it is on disk.
  EXPECT_TRUE(ready.committed_entries.empty());
  EXPECT_FALSE((*node)->HasReady());
  (*node)->OnAppended(std::move(ready.append_ack));
  EXPECT_EQ((*node)->TakeReady().committed_entries.size(), 1u);  // cut behind the first change
}

TEST_F(RawNodeTest, BootstrapOverALogIsRefused) {
  storage_.Append({{.term = Term(1), .index = Index(1)}});
  auto node = RawNode::Create(MakeConfig(&storage_, random_.get()));
  ASSERT_TRUE(node.ok());
  const Peer peers[] = {{.id = MemberId(1), .context = ""}};
  EXPECT_EQ((*node)->Bootstrap(peers).code(), absl::StatusCode::kFailedPrecondition);
}

class SingleVoterTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PreVote, SingleVoterTest, ::testing::Bool());

TEST_P(SingleVoterTest, ElectsItselfCommitsAndApplies) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  EXPECT_EQ(m.store().applied, Index(1));
  m.node().Campaign();
  m.Settle();
  EXPECT_EQ(m.node().role(), Role::kLeader);
  EXPECT_EQ(m.node().term(), Term(2));
  EXPECT_EQ(m.node().Propose(SharedBytes("x")), ProposeResult::kOk);
  EXPECT_EQ(m.node().ProposeBatch({SharedBytes("y"), SharedBytes("z")}), ProposeResult::kOk);
  m.Settle();
  EXPECT_THAT(m.AppliedData(), ElementsAre("x", "y", "z"));
  EXPECT_EQ(m.store().applied, Index(5));
  EXPECT_EQ(m.disk().hard_state, (HardState{Term(2), MemberId(1), Index(5)}));
  EXPECT_THAT(m.TakeOutbox(), ::testing::IsEmpty());
}

TEST_P(SingleVoterTest, CampaignsWhenTheElectionTimeoutPasses) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  for (int i = 0; i < 20; ++i) {
    m.node().Tick();
    m.Settle();
  }
  EXPECT_EQ(m.node().role(), Role::kLeader);
}

TEST_P(SingleVoterTest, CountsNothingBeforeItIsOnDisk) {
  Member m = BootstrappedMember(/*pre_vote=*/false);
  m.Settle();
  m.node().Campaign();
  m.Collect();
  EXPECT_EQ(m.node().role(), Role::kCandidate);  // its own vote is not durable
  m.Sync();
  EXPECT_EQ(m.node().role(), Role::kLeader);
  m.Collect();
  EXPECT_EQ(m.node().committed(), Index(1));
  (void)m.node().Propose(SharedBytes("x"));
  m.Collect();
  m.Sync();  // the empty entry of the term
  EXPECT_EQ(m.node().committed(), Index(2));
  m.Collect();
  EXPECT_EQ(m.pending_batches(), 1u);
  m.Sync();
  EXPECT_EQ(m.node().committed(), Index(3));
}

TEST_P(SingleVoterTest, ManyReadysMayBeOutstanding) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  m.node().Campaign();
  m.Settle();
  for (int i = 0; i < 100; ++i) {
    (void)m.node().Propose(SharedBytes(std::to_string(i)));
    m.Collect();
  }
  EXPECT_EQ(m.pending_writes(), 100u);
  m.Sync(100);
  EXPECT_EQ(m.node().committed(), Index(102));
  EXPECT_EQ(m.node().stable_index(), Index(102));
  m.Settle();
  EXPECT_EQ(m.AppliedData().size(), 100u);
}

TEST_P(SingleVoterTest, AnswersReadsAtOnceWithTheCommitIndex) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  EXPECT_EQ(m.node().SoleVoterReadIndex(), std::nullopt);
  m.node().Campaign();
  m.Settle();
  m.node().ReadIndex(SharedBytes("ctx"));
  m.Collect();
  const std::vector<ReadState> reads = m.TakeReads();
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].index, Index(2));
  EXPECT_EQ(reads[0].context.view(), "ctx");
  EXPECT_EQ(m.node().SoleVoterReadIndex(), Index(2));
}

TEST_P(SingleVoterTest, ReadsAfterARestartWaitForTheFirstCommitOfTheTerm) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  m.node().Campaign();
  m.Settle();
  (void)m.node().Propose(SharedBytes("acknowledged"));
  m.Collect();
  m.Sync();  // durable and committed, but the commit index is not on disk yet
  EXPECT_EQ(m.node().committed(), Index(3));
  m.Restart();
  EXPECT_EQ(m.node().committed(), Index(2));
  m.Settle();  // a change that is not applied yet would keep it from campaigning
  m.node().Campaign();
  for (int i = 0; i < 4 && m.node().role() != Role::kLeader; ++i) {
    m.Collect();
    m.Sync();
  }
  ASSERT_EQ(m.node().role(), Role::kLeader);
  m.node().ReadIndex(SharedBytes("ctx"));
  m.Collect();
  EXPECT_THAT(m.TakeReads(), ::testing::IsEmpty());
  EXPECT_EQ(m.node().SoleVoterReadIndex(), std::nullopt);
  m.Settle();
  const std::vector<ReadState> reads = m.TakeReads();
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_GE(reads[0].index, Index(3));
}

TEST_P(SingleVoterTest, RestartContinuesBehindWhatTheStoreHolds) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  m.node().Campaign();
  m.Settle();
  for (const char* data : {"a", "b", "c"}) (void)m.node().Propose(SharedBytes(data));
  m.Settle();
  m.Flush();
  (void)m.node().Propose(SharedBytes("d"));
  m.Settle();
  m.Restart();
  EXPECT_EQ(m.node().applied(), Index(5));
  EXPECT_EQ(m.node().term(), Term(2));
  m.node().Campaign();
  m.Settle();
  EXPECT_THAT(m.AppliedData(), ElementsAre("a", "b", "c", "d"));
}

TEST_P(SingleVoterTest, RestartFromASnapshot) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  m.node().Campaign();
  m.Settle();
  for (const char* data : {"a", "b", "c"}) (void)m.node().Propose(SharedBytes(data));
  m.Settle();
  m.Compact(/*keep=*/1);
  EXPECT_EQ(m.storage().FirstIndex(), Index(5));
  (void)m.node().Propose(SharedBytes("d"));
  m.Settle();
  EXPECT_THAT(m.AppliedData(), ElementsAre("a", "b", "c", "d"));
}

TEST_P(SingleVoterTest, OnlyANewCommitIndexMayBeWrittenLater) {
  Member m = BootstrappedMember(GetParam());
  m.Settle();
  m.node().Campaign();
  Ready ready = m.node().TakeReady();
  EXPECT_FALSE(ready.commit_only);  // the own (pre-)vote waits for the ack
  m.node().OnAppended(std::move(ready.append_ack));
  m.Settle();
  ASSERT_EQ(m.node().role(), Role::kLeader);
  (void)m.node().Propose(SharedBytes("x"));
  ready = m.node().TakeReady();
  EXPECT_FALSE(ready.commit_only);
  m.node().OnAppended(std::move(ready.append_ack));
  Ready later = m.node().TakeReady();
  EXPECT_TRUE(later.commit_only);
  EXPECT_EQ(later.hard_state->commit, Index(3));
  (void)m.node().Propose(SharedBytes("y"));
  ready = m.node().TakeReady();
  m.node().OnAppended(std::move(later.append_ack));
  m.node().OnAppended(std::move(ready.append_ack));
  EXPECT_EQ(m.node().committed(), Index(4));
}

// ---- Batches ----

TEST_F(RawNodeTest, ABatchEndsAtAConfigurationChange) {
  Member m = BootstrappedMember(false);
  m.Settle();
  m.node().Campaign();
  m.Settle();
  (void)m.node().Propose(SharedBytes("a"));
  ConfChange change;
  change.set_type(raftpb::ConfChangeAddLearnerNode);
  change.set_node_id(2);
  EXPECT_EQ(m.node().ProposeConfChange(change), ProposeResult::kOk);
  (void)m.node().Propose(SharedBytes("b"));
  m.Collect();
  m.Sync();
  Ready ready = m.node().TakeReady();
  ASSERT_EQ(ready.committed_entries.size(), 2u);
  EXPECT_EQ(ready.committed_entries.back().type, EntryType::kConfChange);
  EXPECT_FALSE(m.node().HasReady() && !m.node().TakeReady().committed_entries.empty());
  const Index changed = ready.committed_entries.back().index;
  (void)m.node().ApplyConfChange(changed, change);
  m.node().OnApplied(changed);
  EXPECT_EQ(m.node().TakeReady().committed_entries.size(), 1u);
}

TEST_F(RawNodeTest, UnappliedEntriesAreBoundedByBytes) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1}), .tune = [](Config* c) {
              c->max_applying_bytes = 2100;
            }});
  m.node().Campaign();
  m.Settle();
  for (int i = 0; i < 5; ++i) (void)m.node().Propose(SharedBytes(std::string(1000, 'x')));
  m.Collect();
  m.Sync();
  m.Collect();
  EXPECT_EQ(m.pending_batches(), 1u);  // two entries fit
  m.Apply();
  EXPECT_EQ(m.node().applied(), Index(3));
  m.Collect();
  EXPECT_EQ(m.pending_batches(), 1u);
  m.Settle();
  EXPECT_EQ(m.store().applied, Index(6));
}

TEST_F(RawNodeTest, AnEntryLargerThanTheBoundIsStillApplied) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1}), .tune = [](Config* c) {
              c->max_applying_bytes = 10;
            }});
  m.node().Campaign();
  m.Settle();
  for (int i = 0; i < 3; ++i) (void)m.node().Propose(SharedBytes(std::string(100, 'x')));
  m.Settle();
  EXPECT_EQ(m.AppliedData().size(), 3u);
}

// ---- Configuration ----

TEST_F(RawNodeTest, ImpossibleConfigurationsAreRefused) {
  const auto code = [&](std::function<void(Config*)> change) {
    Config config = MakeConfig(&storage_, random_.get());
    change(&config);
    return RawNode::Create(config).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code([](Config*) {}), absl::StatusCode::kOk);
  EXPECT_EQ(code([](Config* c) { c->id = MemberId(0); }), invalid);
  EXPECT_EQ(code([](Config* c) { c->id = MemberId(~0ull); }), invalid);
  EXPECT_EQ(code([](Config* c) { c->id = MemberId(~0ull - 1); }), invalid);
  EXPECT_EQ(code([](Config* c) { c->heartbeat_ticks = 0; }), invalid);
  EXPECT_EQ(code([](Config* c) { c->heartbeat_ticks = c->election_timeout_ticks; }), invalid);
  EXPECT_EQ(code([](Config* c) { c->storage = nullptr; }), invalid);
  EXPECT_EQ(code([](Config* c) { c->random = nullptr; }), invalid);
  EXPECT_EQ(code([](Config* c) { c->max_inflight_messages = 0; }), invalid);
  EXPECT_EQ(code([](Config* c) { c->max_inflight_bytes = 10; }), invalid);
}

// What etcd runs with; a server sets nothing but its id, its ticks and its pre-vote flag.
TEST_F(RawNodeTest, TheDefaultsAreAServers) {
  const Config config;
  EXPECT_EQ(config.election_timeout_ticks, 10);
  EXPECT_EQ(config.heartbeat_ticks, 1);
  EXPECT_EQ(config.max_message_bytes, 1024u * 1024u);
  EXPECT_EQ(config.max_inflight_messages, 512);
  EXPECT_EQ(config.max_inflight_bytes, 0u);
  EXPECT_TRUE(config.check_quorum);
  EXPECT_TRUE(config.pre_vote);
  EXPECT_FALSE(config.disable_proposal_forwarding);
  EXPECT_FALSE(config.step_down_on_removal);
  EXPECT_FALSE(config.disable_conf_change_validation);
  EXPECT_FALSE(config.allow_conf_change_v2);
}

TEST_F(RawNodeTest, StoredStateThatDoesNotFitTheLogIsRefused) {
  storage_.Append({{.term = Term(1), .index = Index(1)}, {.term = Term(1), .index = Index(2)}});
  const auto start = [&](uint64_t commit, uint64_t applied) {
    storage_.SetHardState({Term(1), MemberId(0), Index(commit)});
    Config config = MakeConfig(&storage_, random_.get());
    config.applied = Index(applied);
    return RawNode::Create(config).status().code();
  };
  EXPECT_EQ(start(2, 2), absl::StatusCode::kOk);
  EXPECT_EQ(start(2, 1), absl::StatusCode::kOk);
  EXPECT_EQ(start(3, 0), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(start(1, 2), absl::StatusCode::kFailedPrecondition);
}

// ---- What the network may say ----

TEST_F(RawNodeTest, LocalForeignAndMalformedMessagesAreDropped) {
  testing::Network net;
  net.Elect(1);
  const BasicStatus before = net.node(1).GetBasicStatus();
  const auto step = [&](Message m) {
    m.to = MemberId(1);
    net.node(1).Step(std::move(m));
  };
  for (int type = 0; type < 256; ++type) {
    const auto t = static_cast<MessageType>(type);
    // No sender; an unknown sender's answer; no term.
    step({.type = t, .term = Term(9)});
    if (IsResponseMessage(t) || IsLocalMessage(t)) {
      step({.type = t, .from = MemberId(7), .term = Term(9)});
    }
    if (t != MessageType::kTransferLeader) step({.type = t, .from = MemberId(2)});
  }
  EXPECT_EQ(net.node(1).term(), before.hard_state.term);
  EXPECT_EQ(net.node(1).role(), Role::kLeader);
  EXPECT_EQ(net.node(1).last_index(), before.last_index);
}

TEST_F(RawNodeTest, AnAppendWithAGapOrFallingTermsIsDropped) {
  testing::Network net;
  net.Elect(1);
  const auto entry = [](uint64_t term, uint64_t index) {
    return Entry{.term = Term(term), .index = Index(index)};
  };
  for (const std::vector<Entry>& entries : {std::vector<Entry>{entry(1, 3)},
                                            {entry(1, 2), entry(1, 4)},
                                            {entry(2, 2)},
                                            {entry(0, 2)}}) {
    net.node(2).Step({.type = MessageType::kApp,
                      .to = MemberId(2),
                      .from = MemberId(1),
                      .term = Term(1),
                      .log_term = Term(1),
                      .index = Index(1),
                      .entries = entries});
    EXPECT_EQ(net.node(2).last_index(), Index(1));
  }
}

}  // namespace
}  // namespace kvorum::raft
