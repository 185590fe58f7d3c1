// Replication and commitment: what the leader sends, what followers make of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Disk;
using ::testing::ElementsAre;
using testing::Member;
using testing::Network;
using testing::NetworkOptions;
using Data = std::vector<std::string>;

Entry E(uint64_t index, uint64_t term) { return {.term = Term(term), .index = Index(index)}; }

std::vector<Message> Sent(Member* m, MessageType type) {
  std::vector<Message> out;
  for (Message& message : m->TakeOutbox()) {
    if (message.type == type) out.push_back(std::move(message));
  }
  return out;
}

std::vector<uint64_t> Terms(const Disk& log) {
  std::vector<uint64_t> terms;
  for (const Entry& e : log.entries) terms.push_back(e.term.value());
  return terms;
}

TEST(ReplicationTest, ProposalsReachEveryoneAndAreAppliedInOrder) {
  Network net({.voters = 3, .learners = 1});
  net.Elect(1);
  for (const char* data : {"a", "b", "c"}) EXPECT_EQ(net.TryPropose(1, data), ProposeResult::kOk);
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(net.at(id).AppliedData(), (Data{"a", "b", "c"}));
}

TEST(ReplicationTest, FollowersForwardProposals) {
  Network net;
  EXPECT_EQ(net.TryPropose(2, "lost"), ProposeResult::kNoLeader);
  net.Elect(1);
  EXPECT_EQ(net.TryPropose(2, "a"), ProposeResult::kOk);
  EXPECT_EQ(net.at(3).AppliedData(), Data{"a"});
  NetworkOptions options;
  options.tune = [](Config* c) { c->disable_proposal_forwarding = true; };
  Network strict(options);
  strict.Elect(1);
  EXPECT_EQ(strict.TryPropose(2, "x"), ProposeResult::kNotForwarded);
}

TEST(ReplicationTest, ABatchTravelsInOneMessage) {
  Network net;
  net.Elect(1);
  EXPECT_EQ(net.node(1).ProposeBatch({}), ProposeResult::kInvalid);
  (void)net.node(1).ProposeBatch({SharedBytes("a"), SharedBytes("b"), SharedBytes("c")});
  net.at(1).Collect();
  const auto sent = Sent(&net.at(1), MessageType::kApp);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].entries.size(), 3u);
  EXPECT_EQ(sent[0].index, Index(1));
  EXPECT_EQ(sent[0].log_term, Term(1));
}

TEST(ReplicationTest, ALeadersAppendsTravelWhileItSyncs) {
  Network net;
  net.Elect(1);
  (void)net.node(1).Propose(SharedBytes("a"));
  net.at(1).Collect();
  for (Message& m : net.at(1).TakeOutbox()) net.node(m.to.value()).Step(std::move(m));
  for (uint64_t id : {2, 3}) {
    net.at(id).Settle();
    for (Message& m : net.at(id).TakeOutbox()) net.node(1).Step(std::move(m));
  }
  // Committed by the other two, but applied here only once it is on this disk, too.
  EXPECT_EQ(net.node(1).committed(), Index(2));
  net.at(1).Collect();
  EXPECT_EQ(net.at(1).pending_batches(), 0u);
  net.at(1).Sync(9);
  net.at(1).Collect();
  EXPECT_EQ(net.at(1).pending_batches(), 1u);
}

TEST(ReplicationTest, AnAckLeavesWhenTheEntriesAreDurable) {
  Network net;
  net.Elect(1);
  (void)net.node(1).Propose(SharedBytes("a"));
  net.at(1).Collect();
  for (Message& m : net.at(1).TakeOutbox()) net.node(m.to.value()).Step(std::move(m));
  net.at(2).Collect();
  EXPECT_TRUE(Sent(&net.at(2), MessageType::kAppResp).empty());
  net.at(2).Sync();
  EXPECT_EQ(Sent(&net.at(2), MessageType::kAppResp).size(), 1u);
}

TEST(ReplicationTest, NothingCommitsWithoutAMajority) {
  Network net({.voters = 5});
  net.Elect(1);
  for (uint64_t id : {3, 4, 5}) net.Isolate(id);
  net.Propose(1, "a");
  EXPECT_EQ(net.node(1).committed(), Index(1));
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.node(1).committed(), Index(2));
  EXPECT_EQ(net.at(5).AppliedData(), Data{"a"});
}

// Paper, figure 8: an old entry on a majority is not committed by counting.
TEST(ReplicationTest, EntriesOfEarlierTermsCommitOnlyAlongWithOneOfTheOwn) {
  Network net;
  net.Elect(1);
  for (uint64_t id : {2, 3}) net.Isolate(id);
  net.Propose(1, "a");  // on 1 alone, term 1
  EXPECT_EQ(net.node(1).last_index(), Index(2));
  net.Heal();
  net.filter = [](const Message& m) {  // nothing of the new term gets through
    return m.type != MessageType::kApp || m.entries.empty() || m.entries.back().term == Term(1);
  };
  net.node(1).StepDown();
  net.Elect(1);
  ASSERT_EQ(net.node(1).term(), Term(2));
  net.node(1).Step({.type = MessageType::kAppResp,
                    .to = MemberId(1),
                    .from = MemberId(2),
                    .term = Term(2),
                    .index = Index(2)});
  EXPECT_EQ(net.node(1).committed(), Index(1));
  net.node(1).Step({.type = MessageType::kAppResp,
                    .to = MemberId(1),
                    .from = MemberId(2),
                    .term = Term(2),
                    .index = Index(3)});
  EXPECT_EQ(net.node(1).committed(), Index(3));
}

// Paper, figure 7: whatever a follower's log looks like, the leader makes it its own.
TEST(ReplicationTest, TheLeaderRepairsEveryLog) {
  const std::vector<uint64_t> leader_terms = {1, 1, 1, 4, 4, 5, 5, 6, 6, 6};
  const std::vector<std::vector<uint64_t>> follower_terms = {
      {1, 1, 1, 4, 4, 5, 5, 6, 6},
      {1, 1, 1, 4},
      {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
      {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
      {1, 1, 1, 4, 4, 4, 4},
      {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
      {},
  };
  for (const auto& terms : follower_terms) {
    Network net;
    const auto fill = [&](uint64_t id, const std::vector<uint64_t>& log) {
      for (size_t i = 0; i < log.size(); ++i) {
        net.node(id).Step({.type = MessageType::kApp,
                           .to = MemberId(id),
                           .from = MemberId(9),
                           .term = Term(log[i]),
                           .log_term = Term(i == 0 ? 0 : log[i - 1]),
                           .index = Index(i),
                           .entries = {E(i + 1, log[i])}});
        net.at(id).Settle();
        (void)net.at(id).TakeOutbox();
      }
    };
    fill(1, leader_terms);
    fill(2, terms);
    // The third member votes for whoever asks: its log is empty. Terms first go beyond all seen.
    for (int i = 0; i < 3 && net.Leader() != 1; ++i) net.Elect(1);
    ASSERT_EQ(net.Leader(), 1u);
    net.Propose(1, "x");
    EXPECT_EQ(Terms(net.at(2).disk()), Terms(net.at(1).disk()));
    EXPECT_EQ(net.node(2).committed(), Index(12));
  }
}

TEST(ReplicationTest, ARejectionNamesWhereTheLogsMayMeet) {
  // Follower: terms 1 1 2 2 3 at 1..5.
  const struct {
    uint64_t index, log_term;  // of the probe
    bool reject;
    uint64_t answer_index, hint, hint_term;
  } cases[] = {
      {5, 3, false, 5, 0, 0}, {5, 4, true, 5, 5, 3}, {7, 4, true, 7, 5, 3},
      {7, 2, true, 7, 4, 2},  {4, 1, true, 4, 2, 1}, {9, 1, true, 9, 2, 1},
  };
  for (const auto& c : cases) {
    Network net;
    uint64_t index = 0;
    uint64_t previous = 0;
    for (uint64_t term : {1, 1, 2, 2, 3}) {
      net.node(2).Step({.type = MessageType::kApp,
                        .to = MemberId(2),
                        .from = MemberId(1),
                        .term = Term(4),
                        .log_term = Term(previous),
                        .index = Index(index),
                        .entries = {E(index + 1, term)}});
      ++index;
      previous = term;
    }
    net.at(2).Settle();
    (void)net.at(2).TakeOutbox();
    net.node(2).Step({.type = MessageType::kApp,
                      .to = MemberId(2),
                      .from = MemberId(1),
                      .term = Term(4),
                      .log_term = Term(c.log_term),
                      .index = Index(c.index)});
    net.at(2).Settle();
    const auto answers = Sent(&net.at(2), MessageType::kAppResp);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].reject, c.reject);
    EXPECT_EQ(answers[0].index, Index(c.answer_index));
    EXPECT_EQ(answers[0].reject_hint, Index(c.hint));
    EXPECT_EQ(answers[0].log_term, Term(c.hint_term));
  }
}

TEST(ReplicationTest, AnAppendBelowTheCommitIndexIsAnsweredWithIt) {
  Network net;
  net.Elect(1);
  net.Propose(1, "a");
  net.Propose(1, "b");
  net.node(2).Step({.type = MessageType::kApp,
                    .to = MemberId(2),
                    .from = MemberId(1),
                    .term = Term(1),
                    .log_term = Term(1),
                    .index = Index(1),
                    .entries = {E(2, 1)}});
  net.at(2).Settle();
  const auto answers = Sent(&net.at(2), MessageType::kAppResp);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].index, Index(3));
  EXPECT_FALSE(answers[0].reject);
}

TEST(ReplicationTest, MessagesOfAnOldLeaderAreNotProcessed) {
  Network net;
  net.Elect(1);
  net.Elect(2);
  net.node(3).Step({.type = MessageType::kApp,
                    .to = MemberId(3),
                    .from = MemberId(1),
                    .term = Term(1),
                    .log_term = Term(1),
                    .index = Index(1),
                    .entries = {E(2, 1)}});
  EXPECT_EQ(net.node(3).last_index(), Index(2));
  net.at(3).Settle();
  EXPECT_EQ(net.at(3).disk().TermAt(Index(2)), Term(2));
  EXPECT_EQ(net.node(3).leader(), MemberId(2));
}

TEST(ReplicationTest, DuplicatedAndReorderedAcksChangeNothing) {
  Network net;
  net.Elect(1);
  net.Propose(1, "a");
  net.Propose(1, "b");
  const auto ack = [&](uint64_t index, bool reject = false) {
    net.node(1).Step({.type = MessageType::kAppResp,
                      .to = MemberId(1),
                      .from = MemberId(2),
                      .term = Term(1),
                      .index = Index(index),
                      .reject = reject});
    net.Stabilize();
  };
  ack(1);
  ack(3);
  ack(2);
  ack(1, /*reject=*/true);
  ack(99);  // more than the leader has
  const NodeStatus status = net.node(1).GetStatus();
  EXPECT_EQ(status.progress.at(MemberId(2)).match(), Index(3));
  EXPECT_EQ(status.hard_state.commit, Index(3));
}

// ---- Flow control ----

NetworkOptions SmallWindow() {
  return {.voters = 2, .tune = [](Config* c) {
            c->max_inflight_messages = 3;
            c->max_message_bytes = 1;  // one entry a message
          }};
}

TEST(FlowControlTest, AFullWindowStopsTheStreamAndAnAckOpensIt) {
  Network net(SmallWindow());
  net.Elect(1);
  net.Isolate(2);
  for (int i = 0; i < 10; ++i) (void)net.node(1).Propose(SharedBytes("x"));
  net.at(1).Collect();
  EXPECT_EQ(Sent(&net.at(1), MessageType::kApp).size(), 3u);
  net.node(1).Step({.type = MessageType::kAppResp,
                    .to = MemberId(1),
                    .from = MemberId(2),
                    .term = Term(1),
                    .index = Index(3)});
  net.at(1).Collect();
  EXPECT_EQ(Sent(&net.at(1), MessageType::kApp).size(), 2u);
}

TEST(FlowControlTest, AHeartbeatAnswerLetsOneEmptyAppendThroughAFullWindow) {
  Network net(SmallWindow());
  net.Elect(1);
  net.Isolate(2);
  for (int i = 0; i < 10; ++i) (void)net.node(1).Propose(SharedBytes("x"));
  net.at(1).Collect();
  (void)net.at(1).TakeOutbox();
  for (int i = 0; i < 3; ++i) {
    net.node(1).Step({.type = MessageType::kHeartbeatResp,
                      .to = MemberId(1),
                      .from = MemberId(2),
                      .term = Term(1)});
    net.at(1).Collect();
    const auto sent = Sent(&net.at(1), MessageType::kApp);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(sent[0].entries.empty());
    EXPECT_EQ(sent[0].index, Index(4));
  }
}

TEST(FlowControlTest, AWindowOfLostMessagesRecovers) {
  Network net(SmallWindow());
  net.Elect(1);
  net.Isolate(2);
  for (int i = 0; i < 10; ++i) (void)net.node(1).Propose(SharedBytes("x"));
  net.Stabilize();
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.node(2).committed(), Index(11));
}

TEST(FlowControlTest, AProbeSendsOnceAHeartbeat) {
  Network net(SmallWindow());
  net.Elect(1);
  net.Isolate(2);
  net.node(1).ReportUnreachable(MemberId(2));
  for (int i = 0; i < 5; ++i) (void)net.node(1).Propose(SharedBytes("x"));
  net.at(1).Settle();
  EXPECT_EQ(Sent(&net.at(1), MessageType::kApp).size(), 1u);
  net.node(1).Step({.type = MessageType::kHeartbeatResp,
                    .to = MemberId(1),
                    .from = MemberId(2),
                    .term = Term(1)});
  net.at(1).Settle();
  const auto sent = Sent(&net.at(1), MessageType::kApp);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].index, Index(1));
  EXPECT_EQ(sent[0].entries.size(), 1u);
}

TEST(FlowControlTest, AHeartbeatAnswerEndsAProbeOfSomeoneWhoHasEverything) {
  Network net;
  net.Elect(1);
  net.Propose(1, "a");
  net.node(1).ReportUnreachable(MemberId(2));
  EXPECT_EQ(net.node(1).GetStatus().progress.at(MemberId(2)).state(),
            tracker::ProgressState::kProbe);
  net.TickAll(1);
  EXPECT_EQ(net.node(1).GetStatus().progress.at(MemberId(2)).state(),
            tracker::ProgressState::kReplicate);
}

TEST(FlowControlTest, UncommittedPayloadIsBounded) {
  Network net({.voters = 3, .tune = [](Config* c) { c->max_uncommitted_bytes = 300; }});
  net.Elect(1);
  net.Isolate(1);
  const SharedBytes hundred(std::string(100, 'x'));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(net.node(1).Propose(hundred), ProposeResult::kOk);
  EXPECT_EQ(net.node(1).Propose(hundred), ProposeResult::kUncommittedFull);
  EXPECT_EQ(net.node(1).Propose(SharedBytes()), ProposeResult::kOk);  // empty ones always pass
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.at(1).AppliedData().size(), 3u);
  // One always fits, however large.
  EXPECT_EQ(net.node(1).Propose(SharedBytes(std::string(1000, 'x'))), ProposeResult::kOk);
  EXPECT_EQ(net.node(1).Propose(hundred), ProposeResult::kUncommittedFull);
}

// ---- Heartbeats ----

TEST(HeartbeatTest, CommitIsBoundedByWhatTheFollowerHas) {
  Network net;
  net.Elect(1);
  net.Isolate(3);
  net.Propose(1, "a");
  net.Tick(1, 1);
  net.at(1).Collect();
  for (const Message& m : Sent(&net.at(1), MessageType::kHeartbeat)) {
    EXPECT_EQ(m.commit, Index(m.to == MemberId(2) ? 2 : 1));
  }
}

TEST(HeartbeatTest, AFollowerCommitsAndEchoesTheContext) {
  Network net;
  net.Elect(1);
  net.filter = [](const Message& m) { return m.type != MessageType::kApp || !m.entries.empty(); };
  net.Propose(1, "a");
  net.node(2).Step({.type = MessageType::kHeartbeat,
                    .to = MemberId(2),
                    .from = MemberId(1),
                    .term = Term(1),
                    .commit = Index(2),
                    .context = SharedBytes("any bytes")});
  EXPECT_EQ(net.node(2).committed(), Index(2));
  net.at(2).Collect();
  const auto answers = Sent(&net.at(2), MessageType::kHeartbeatResp);
  ASSERT_EQ(answers.size(), 1u);  // at once, not after a write
  EXPECT_EQ(answers[0].context.view(), "any bytes");
}

TEST(HeartbeatDeathTest, ACommitIndexBeyondOurLogMeansThatWeLostSomething) {
  Network net;
  net.Elect(1);
  EXPECT_DEATH(net.node(2).Step({.type = MessageType::kHeartbeat,
                                 .to = MemberId(2),
                                 .from = MemberId(1),
                                 .term = Term(1),
                                 .commit = Index(7)}),
               "corrupted, truncated, or lost");
}

TEST(HeartbeatTest, ALostAckIsMadeUpForByAHeartbeat) {
  Network net;
  net.Elect(1);
  int drop = 2;
  net.filter = [&](const Message& m) {
    return m.type != MessageType::kAppResp || m.index < Index(2) || drop-- <= 0;
  };
  net.Propose(1, "a");
  EXPECT_EQ(net.node(1).committed(), Index(1));
  net.TickAll(2);
  EXPECT_EQ(net.node(1).committed(), Index(2));
  net.TickAll(2);
  EXPECT_EQ(net.node(3).committed(), Index(2));
}

// ---- Acknowledgements of the own disk ----

TEST(AppendAckTest, AnAckOfAnOlderTermMovesNoEntries) {
  // Entry (term 1, index 2) is written, overwritten by (2, 2), and brought back by the leader of
  // term 3. The first two writes are acknowledged late: the log must not count as durable by them.
  Member m({.id = MemberId(3), .conf_state = testing::MakeConfState({1, 2, 3})});
  const auto append = [&](uint64_t from, uint64_t term, uint64_t prev, uint64_t prev_term,
                          std::vector<Entry> entries) {
    m.node().Step({.type = MessageType::kApp,
                   .to = MemberId(3),
                   .from = MemberId(from),
                   .term = Term(term),
                   .log_term = Term(prev_term),
                   .index = Index(prev),
                   .entries = std::move(entries)});
  };
  append(1, 1, 0, 0, {E(1, 1)});
  m.Settle();
  std::vector<Ready> writes;
  append(1, 1, 1, 1, {E(2, 1)});
  writes.push_back(m.node().TakeReady());
  append(2, 2, 1, 1, {E(2, 2)});
  writes.push_back(m.node().TakeReady());
  append(1, 3, 1, 1, {E(2, 1)});
  writes.push_back(m.node().TakeReady());
  EXPECT_EQ(m.node().stable_index(), Index(1));
  m.node().OnAppended(std::move(writes[0].append_ack));
  EXPECT_EQ(m.node().stable_index(), Index(1));  // looks like what the log holds, but is not
  m.node().OnAppended(std::move(writes[1].append_ack));
  EXPECT_EQ(m.node().stable_index(), Index(1));
  m.node().OnAppended(std::move(writes[2].append_ack));
  EXPECT_EQ(m.node().stable_index(), Index(2));
}

TEST(AppendAckTest, ANewTermAcknowledgesWhatWasInFlightAgain) {
  Member m({.id = MemberId(3), .conf_state = testing::MakeConfState({1, 2, 3})});
  m.node().Step({.type = MessageType::kApp,
                 .to = MemberId(3),
                 .from = MemberId(1),
                 .term = Term(1),
                 .entries = {E(1, 1)}});
  Ready first = m.node().TakeReady();
  m.node().Step(
      {.type = MessageType::kVote, .to = MemberId(3), .from = MemberId(2), .term = Term(2)});
  Ready second = m.node().TakeReady();
  EXPECT_TRUE(second.entries.empty());
  m.node().OnAppended(std::move(first.append_ack));
  EXPECT_EQ(m.node().stable_index(), Index(0));
  m.node().OnAppended(std::move(second.append_ack));
  EXPECT_EQ(m.node().stable_index(), Index(1));
}

TEST(AppendAckTest, AnOwnAppendIsNotCountedInALaterTerm) {
  Network net;
  net.Elect(1);
  (void)net.node(1).Propose(SharedBytes("a"));
  net.at(1).Collect();
  (void)net.at(1).TakeOutbox();
  net.Elect(2);  // takes over before 1 has written
  net.Elect(1);
  net.at(1).Settle();
  EXPECT_EQ(Terms(net.at(1).disk()), Terms(net.at(2).disk()));
  EXPECT_THAT(net.at(1).AppliedData(), ElementsAre());
}

}  // namespace
}  // namespace kvorum::raft
