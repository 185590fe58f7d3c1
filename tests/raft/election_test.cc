// Elections: who campaigns, who votes for whom, and what disturbs whom. Sections are the paper's.

#include <gtest/gtest.h>

#include <set>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Member;
using testing::Network;
using testing::NetworkOptions;

class ElectionTest : public ::testing::TestWithParam<bool> {
 protected:
  NetworkOptions Options(int voters) const { return {.voters = voters, .pre_vote = GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(PreVote, ElectionTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "With" : "Without"; });

// ---- 5.2 ----

TEST_P(ElectionTest, AMajorityElects) {
  const struct {
    int voters;
    int down;
    bool elected;
  } cases[] = {{1, 0, true}, {3, 0, true},  {3, 1, true}, {3, 2, false},
               {5, 2, true}, {5, 3, false}, {4, 1, true}, {4, 2, false}};
  for (const auto& c : cases) {
    Network net(Options(c.voters));
    for (int i = 0; i < c.down; ++i) net.Isolate(static_cast<uint64_t>(c.voters - i));
    net.Elect(1);
    EXPECT_EQ(net.Leader(), c.elected ? 1u : 0u) << c.voters << " less " << c.down;
    if (!c.elected) {
      // A pre-vote that fails leaves no trace; an election does.
      EXPECT_EQ(net.node(1).term(), Term(GetParam() ? 0 : 1));
      EXPECT_EQ(net.node(1).role(), GetParam() ? Role::kPreCandidate : Role::kCandidate);
    }
  }
}

TEST_P(ElectionTest, EveryoneCanLeadInTurn) {
  Network net(Options(3));
  uint64_t term = 0;
  for (uint64_t id : {1, 2, 3, 1, 2, 3}) {
    net.Elect(id);
    EXPECT_EQ(net.Leader(), id);
    EXPECT_EQ(net.node(1).term(), Term(++term));
    for (uint64_t other = 1; other <= 3; ++other) EXPECT_EQ(net.node(other).leader(), MemberId(id));
  }
}

TEST_P(ElectionTest, AMemberStartsAsAFollowerAndCampaignsWhenTheTimeoutPasses) {
  std::set<int> timeouts;
  for (int round = 0; round < 50; ++round) {
    Member m({.id = MemberId(1),
              .conf_state = testing::MakeConfState({1, 2, 3}),
              .seed = static_cast<uint64_t>(round + 1),
              .pre_vote = GetParam()});
    EXPECT_EQ(m.node().role(), Role::kFollower);
    int ticks = 0;
    while (m.node().role() == Role::kFollower) {
      m.node().Tick();
      ASSERT_LT(++ticks, 21);
    }
    EXPECT_GE(ticks, 10);
    timeouts.insert(ticks);
  }
  EXPECT_GE(timeouts.size(), 8u);  // random over [10, 20)
  EXPECT_LE(*timeouts.rbegin(), 19);
}

TEST_P(ElectionTest, TheLeaderSendsHeartbeatsEveryInterval) {
  NetworkOptions options = Options(3);
  options.tune = [](Config* c) {
    c->heartbeat_ticks = 2;
    c->election_timeout_ticks = 10;
  };
  Network net(options);
  net.Elect(1);
  Member& leader = net.at(1);
  for (int i = 1; i <= 6; ++i) {
    net.Tick(1, 1);
    leader.Collect();
    const std::vector<Message> sent = leader.TakeOutbox();
    EXPECT_EQ(sent.size(), i % 2 == 0 ? 2u : 0u);
    for (const Message& m : sent) EXPECT_EQ(m.type, MessageType::kHeartbeat);
  }
}

TEST_P(ElectionTest, HeartbeatsKeepFollowersFromCampaigning) {
  Network net(Options(3));
  net.Elect(1);
  net.TickAll(100);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.node(2).term(), Term(1));
}

TEST_P(ElectionTest, SomebodyTakesOverWhenTheLeaderIsGone) {
  Network net(Options(3));
  net.Elect(1);
  net.Isolate(1);
  net.TickAll(60);
  EXPECT_NE(net.Leader(), 1u);
  EXPECT_NE(net.Leader(), 0u);
}

TEST_P(ElectionTest, VoteRequestsSpeakOfTheLastEntry) {
  Network net(Options(3));
  net.Elect(1);
  net.Propose(1, "a");
  Member& m = net.at(2);
  m.node().Campaign();
  m.Collect();
  m.Sync();
  const auto requests = m.TakeOutbox();
  ASSERT_EQ(requests.size(), 2u);
  for (const Message& r : requests) {
    EXPECT_EQ(r.type, GetParam() ? MessageType::kPreVote : MessageType::kVote);
    EXPECT_EQ(r.term, Term(2));
    EXPECT_EQ(r.log_term, Term(1));
    EXPECT_EQ(r.index, Index(2));
    EXPECT_TRUE(r.context.empty());
  }
  EXPECT_EQ(m.node().term(), Term(GetParam() ? 1 : 2));
}

TEST(VoteTest, RequestsLeaveWhenTheTermIsDurable) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3})});
  m.node().Campaign();
  m.Collect();
  EXPECT_TRUE(m.TakeOutbox().empty());
  EXPECT_EQ(m.pending_writes(), 1u);
  m.Sync();
  EXPECT_EQ(m.TakeOutbox().size(), 2u);
  EXPECT_EQ(m.disk().hard_state, (HardState{Term(1), MemberId(1), Index(0)}));
}

// ---- Voting ----

Message VoteRequest(MessageType type, uint64_t from, uint64_t term, EntryId last) {
  return {.type = type,
          .to = MemberId(1),
          .from = MemberId(from),
          .term = Term(term),
          .log_term = last.term,
          .index = last.index};
}

// The answer of a fresh member 1 of three in `term`, having voted for `vote`, to a request.
Message AnswerTo(Message request, Member* m) {
  m->node().Step(std::move(request));
  m->Collect();
  m->Sync(9);
  const auto out = m->TakeOutbox();
  EXPECT_EQ(out.size(), 1u);
  return out.empty() ? Message{} : out[0];
}

TEST(VoteTest, OneVoteATermFirstComeFirstServed) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3})});
  EXPECT_FALSE(AnswerTo(VoteRequest(MessageType::kVote, 2, 1, {}), &m).reject);
  EXPECT_FALSE(AnswerTo(VoteRequest(MessageType::kVote, 2, 1, {}), &m).reject);  // repeated
  EXPECT_TRUE(AnswerTo(VoteRequest(MessageType::kVote, 3, 1, {}), &m).reject);
  EXPECT_FALSE(AnswerTo(VoteRequest(MessageType::kVote, 3, 2, {}), &m).reject);  // a new term
  EXPECT_EQ(m.node().vote(), MemberId(3));
}

TEST(VoteTest, AVoteIsDurableBeforeItIsGivenAndSurvivesACrash) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3})});
  m.node().Step(VoteRequest(MessageType::kVote, 2, 1, {}));
  m.Collect();
  EXPECT_TRUE(m.TakeOutbox().empty());
  m.Sync();
  EXPECT_EQ(m.TakeOutbox().size(), 1u);
  m.Restart();
  EXPECT_TRUE(AnswerTo(VoteRequest(MessageType::kVote, 3, 1, {}), &m).reject);
}

TEST(VoteTest, NobodyVotesForAShorterLog) {
  Network net;
  net.Elect(1);
  net.Elect(2);
  net.Propose(2, "x");  // logs end in (2, 3)
  Member& m = net.at(1);
  const struct {
    uint64_t term, index;
    bool granted;
  } cases[] = {{1, 9, false}, {2, 2, false}, {2, 3, true}, {2, 4, true}, {3, 1, true}};
  uint64_t term = 10;
  for (const auto& c : cases) {
    for (const MessageType type : {MessageType::kVote, MessageType::kPreVote}) {
      const Message answer = AnswerTo(
          VoteRequest(type, 3, ++term, {.term = Term(c.term), .index = Index(c.index)}), &m);
      EXPECT_EQ(answer.reject, !c.granted) << c.term << "/" << c.index;
      if (c.granted) {
        EXPECT_EQ(answer.term, Term(term));
      }
    }
  }
}

TEST(VoteTest, PreVotesChangeNothing) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3})});
  const Message answer = AnswerTo(VoteRequest(MessageType::kPreVote, 2, 5, {}), &m);
  EXPECT_FALSE(answer.reject);
  EXPECT_EQ(answer.term, Term(5));
  EXPECT_EQ(m.node().term(), Term(0));
  EXPECT_EQ(m.node().vote(), kNone);
  EXPECT_FALSE(AnswerTo(VoteRequest(MessageType::kPreVote, 3, 5, {}), &m).reject);
}

TEST(VoteTest, RequestsOfAnOldTermAreNotGranted) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3}), .pre_vote = true});
  AnswerTo(VoteRequest(MessageType::kVote, 2, 5, {}), &m);
  // A pre-vote is told our term, so that a member left behind can catch up.
  const Message answer = AnswerTo(VoteRequest(MessageType::kPreVote, 3, 4, {}), &m);
  EXPECT_TRUE(answer.reject);
  EXPECT_EQ(answer.term, Term(5));
  m.node().Step(VoteRequest(MessageType::kVote, 3, 4, {}));
  m.Settle();
  EXPECT_TRUE(m.TakeOutbox().empty());
}

TEST_P(ElectionTest, ALostElectionLeavesAFollowerWithoutLeader) {
  Network net(Options(3));
  net.Elect(2);
  net.Isolate(1);
  net.Propose(2, "x");
  net.Heal();
  net.Ignore(MessageType::kHeartbeat);
  net.Elect(1);  // its log is behind
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.Leader(), GetParam() ? 2u : 0u);
}

TEST_P(ElectionTest, TheMemberWithTheNewerLogWins) {
  Network net(Options(5));
  net.Elect(1);
  net.Cut(1, 4);
  net.Cut(1, 5);
  net.Propose(1, "x");
  net.Heal();
  net.Elect(4);
  EXPECT_NE(net.Leader(), 4u);
  net.Elect(2);
  EXPECT_EQ(net.Leader(), 2u);
  EXPECT_EQ(net.at(4).AppliedData(), std::vector<std::string>{"x"});
}

TEST_P(ElectionTest, ACandidateGivesWayToALeader) {
  for (const uint64_t term_ahead : {0, 1}) {
    Network net(Options(3));
    net.Isolate(1);
    net.node(1).Campaign();
    net.Stabilize();
    const Term term = net.node(1).term() + term_ahead + (GetParam() ? 1 : 0);
    net.node(1).Step(
        {.type = MessageType::kApp, .to = MemberId(1), .from = MemberId(2), .term = term});
    EXPECT_EQ(net.node(1).role(), Role::kFollower);
    EXPECT_EQ(net.node(1).leader(), MemberId(2));
    EXPECT_EQ(net.node(1).term(), term);
  }
}

TEST_P(ElectionTest, EveryRoleAdoptsANewerTerm) {
  for (const Role role : {Role::kFollower, Role::kCandidate, Role::kLeader}) {
    Network net(Options(3));
    if (role == Role::kLeader) net.Elect(1);
    if (role == Role::kCandidate) {
      net.Isolate(1);
      net.Elect(1);
    }
    net.node(1).Step(
        {.type = MessageType::kApp, .to = MemberId(1), .from = MemberId(2), .term = Term(9)});
    EXPECT_EQ(net.node(1).term(), Term(9));
    EXPECT_EQ(net.node(1).role(), Role::kFollower);
    EXPECT_EQ(net.node(1).leader(), MemberId(2));
  }
}

// ---- Answers that come too late ----

TEST(VoteTest, AnOwnVoteThatBecomesDurableAfterTheTermIsNotCounted) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2})});
  m.node().Campaign();
  m.Collect();
  m.node().Step(
      {.type = MessageType::kHeartbeat, .to = MemberId(1), .from = MemberId(2), .term = Term(2)});
  m.Settle();
  EXPECT_EQ(m.node().role(), Role::kFollower);
  EXPECT_EQ(m.node().term(), Term(2));
}

TEST(VoteTest, AnOwnPreVoteDoesNotElect) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3}), .pre_vote = true});
  m.node().Campaign();
  m.Collect();
  for (const uint64_t from : {2, 3}) {
    m.node().Step({.type = MessageType::kPreVoteResp,
                   .to = MemberId(1),
                   .from = MemberId(from),
                   .term = Term(1)});
  }
  EXPECT_EQ(m.node().role(), Role::kCandidate);
  m.Sync();  // the pre-vote's write, of before
  EXPECT_EQ(m.node().role(), Role::kCandidate);
  m.node().Step(
      {.type = MessageType::kVoteResp, .to = MemberId(1), .from = MemberId(2), .term = Term(1)});
  EXPECT_EQ(m.node().role(), Role::kCandidate);
  m.Settle();
  EXPECT_EQ(m.node().role(), Role::kLeader);
}

TEST(VoteTest, OnlyTheFirstAnswerOfAVoterCounts) {
  Member m({.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2, 3, 4, 5})});
  m.node().Campaign();
  m.Settle();
  for (const bool reject : {true, false, false}) {
    m.node().Step({.type = MessageType::kVoteResp,
                   .to = MemberId(1),
                   .from = MemberId(2),
                   .term = Term(1),
                   .reject = reject});
  }
  m.node().Step(
      {.type = MessageType::kVoteResp, .to = MemberId(1), .from = MemberId(3), .term = Term(1)});
  EXPECT_EQ(m.node().role(), Role::kCandidate);
  m.node().Step(
      {.type = MessageType::kVoteResp, .to = MemberId(1), .from = MemberId(4), .term = Term(1)});
  EXPECT_EQ(m.node().role(), Role::kLeader);
}

// ---- CheckQuorum and its lease ----

NetworkOptions Served(int voters) {
  return {.voters = voters, .pre_vote = true, .check_quorum = true};
}

TEST(CheckQuorumTest, ALeaderWithoutAQuorumStepsDown) {
  Network net(Served(3));
  net.Elect(1);
  net.TickAll(30);
  EXPECT_EQ(net.Leader(), 1u);
  net.Isolate(1);
  net.Tick(1, 20);  // the interval under way still counts the answers in it
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.node(1).leader(), kNone);
  EXPECT_EQ(net.node(1).term(), Term(1));
}

TEST(CheckQuorumTest, OneFollowerOfTwoIsEnough) {
  Network net(Served(3));
  net.Elect(1);
  net.Isolate(3);
  net.TickAll(50);
  EXPECT_EQ(net.Leader(), 1u);
}

TEST(CheckQuorumTest, VoteRequestsAreIgnoredWhileTheLeaderIsHeard) {
  Network net({.voters = 3, .check_quorum = true});
  net.Elect(1);
  net.node(2).Step({.type = MessageType::kVote,
                    .to = MemberId(2),
                    .from = MemberId(3),
                    .term = Term(9),
                    .log_term = Term(9),
                    .index = Index(9)});
  EXPECT_EQ(net.node(2).term(), Term(1));
  net.at(2).Settle();
  EXPECT_TRUE(net.at(2).TakeOutbox().empty());
  net.Tick(2, 10);  // the lease is over (its own timeout is later)
  net.node(2).Step({.type = MessageType::kVote,
                    .to = MemberId(2),
                    .from = MemberId(3),
                    .term = Term(9),
                    .log_term = Term(9),
                    .index = Index(9)});
  EXPECT_EQ(net.node(2).term(), Term(9));
}

TEST(CheckQuorumTest, ATransferIsGrantedInSpiteOfTheLease) {
  Network net({.voters = 3, .check_quorum = true});
  net.Elect(1);
  net.node(2).Step({.type = MessageType::kVote,
                    .to = MemberId(2),
                    .from = MemberId(3),
                    .term = Term(9),
                    .log_term = Term(9),
                    .index = Index(9),
                    .context = SharedBytes("CampaignTransfer")});
  EXPECT_EQ(net.node(2).vote(), MemberId(3));
}

TEST(CheckQuorumTest, AMemberStuckAtAHigherTermIsFreed) {
  Network net({.voters = 3, .check_quorum = true});
  net.Elect(1);
  net.Isolate(3);
  net.Elect(3);
  net.Elect(3);
  EXPECT_EQ(net.node(3).term(), Term(3));
  net.Heal();
  net.Tick(1, 1);  // its heartbeat is answered with the higher term, which deposes it
  net.Stabilize();
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.node(1).term(), Term(3));
  net.Elect(1);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.node(3).leader(), MemberId(1));
}

TEST(PreVoteTest, AMemberThatWasCutOffDisturbsNobody) {
  Network net(Served(3));
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 5; ++i) net.Elect(3);
  net.Propose(1, "x");
  net.Heal();
  net.Elect(3);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.node(1).term(), Term(1));
  net.TickAll(30);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.at(3).AppliedData(), std::vector<std::string>{"x"});
}

TEST(PreVoteTest, AShortLogAtAHigherTermDoesNotBlockTheOthers) {
  // 3 went up to term 3 without pre-votes (before an upgrade) and misses an entry.
  Network net({.voters = 3, .pre_vote = false, .check_quorum = true});
  net.Elect(1);
  net.Isolate(3);
  net.Propose(1, "x");
  net.Elect(3);
  net.Elect(3);
  net.at(3).Settle();
  // 1 and 2 lose their leader; whoever campaigns must in the end be elected by the other two.
  net.node(1).StepDown();
  net.Heal();
  net.TickAll(80);
  EXPECT_NE(net.Leader(), 0u);
  EXPECT_NE(net.Leader(), 3u);
}

TEST(PreVoteTest, TwoPreCandidatesCanBothLoseWithoutHarm) {
  Network net({.voters = 3, .pre_vote = true});
  net.Elect(1);
  net.Isolate(1);
  net.node(2).Campaign();
  net.node(3).Campaign();
  net.Stabilize();
  net.TickAll(60);
  EXPECT_NE(net.Leader(), 0u);
  EXPECT_EQ(net.node(2).leader(), net.node(3).leader());
}

// ---- Who may not campaign ----

TEST(CampaignTest, LearnersAndStrangersDoNotCampaign) {
  Network net({.voters = 2, .learners = 1});
  net.Tick(3, 100);
  EXPECT_EQ(net.node(3).role(), Role::kFollower);
  net.Elect(3);
  EXPECT_EQ(net.node(3).term(), Term(0));
  Member stranger({.id = MemberId(9), .conf_state = testing::MakeConfState({1, 2})});
  for (int i = 0; i < 100; ++i) stranger.node().Tick();
  EXPECT_EQ(stranger.node().role(), Role::kFollower);
}

TEST(CampaignTest, LearnersVoteWhenAsked) {
  // They may have been promoted without knowing it yet.
  Network net({.voters = 1, .learners = 1});
  net.node(2).Step(
      {.type = MessageType::kVote, .to = MemberId(2), .from = MemberId(1), .term = Term(4)});
  EXPECT_EQ(net.node(2).vote(), MemberId(1));
}

TEST(CampaignTest, NotWhileACommittedChangeIsNotApplied) {
  for (const bool v2 : {false, true}) {
    Network net;
    net.Elect(1);
    Member& m = net.at(2);
    if (v2) {
      ConfChangeV2 change;
      auto* single = change.add_changes();
      single->set_type(raftpb::ConfChangeAddLearnerNode);
      single->set_node_id(7);
      (void)net.node(1).ProposeConfChange(change);
    } else {
      ConfChange change;
      change.set_type(raftpb::ConfChangeAddLearnerNode);
      change.set_node_id(7);
      (void)net.node(1).ProposeConfChange(change);
    }
    // 2 learns of the commit but does not apply.
    for (int round = 0; round < 3; ++round) {
      net.at(1).Settle();
      for (Message& out : net.at(1).TakeOutbox()) {
        if (out.to == MemberId(2)) m.node().Step(std::move(out));
      }
      m.Collect();
      m.Sync(9);
      m.Collect();
      for (Message& out : m.TakeOutbox()) net.node(1).Step(std::move(out));
    }
    ASSERT_EQ(m.node().committed(), Index(2));
    ASSERT_EQ(m.node().applied(), Index(1));
    m.node().Campaign();
    EXPECT_EQ(m.node().role(), Role::kFollower);
    m.Apply();
    m.node().Campaign();
    EXPECT_EQ(m.node().role(), Role::kCandidate);
  }
}

TEST(CampaignTest, NotWhenToldNotTo) {
  Network net({.voters = 3});
  net.node(1).SetMayCampaign(false);
  net.Elect(1);
  EXPECT_EQ(net.node(1).term(), Term(0));
  net.node(1).Step(
      {.type = MessageType::kTimeoutNow, .to = MemberId(1), .from = MemberId(2), .term = Term(1)});
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  net.node(1).SetMayCampaign(true);
  net.Elect(1);
  EXPECT_EQ(net.Leader(), 1u);
}

TEST(CampaignTest, AnswersToACampaignGivenUpDoNotElect) {
  for (const bool pre_vote : {false, true}) {
    Network net({.voters = 3, .pre_vote = pre_vote});
    net.node(1).Campaign();
    net.at(1).Settle();
    const Term term = net.node(1).term();
    net.node(1).SetMayCampaign(false);
    EXPECT_EQ(net.node(1).role(), Role::kFollower);
    net.Stabilize();
    EXPECT_EQ(net.Leader(), 0u);
    EXPECT_EQ(net.node(1).term(), term);
    net.Elect(2);
    EXPECT_EQ(net.Leader(), 2u);
  }
}

TEST(CampaignTest, ALeaderThatMayNotCampaignLeadsOn) {
  Network net(Served(3));
  net.Elect(1);
  net.node(1).SetMayCampaign(false);
  net.TickAll(30);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.TryPropose(1, "a"), ProposeResult::kOk);
  EXPECT_EQ(net.at(2).AppliedData(), std::vector<std::string>{"a"});
}

TEST(StepDownTest, KeepsTheTermAndLosesNothing) {
  Network net(Served(3));
  net.Elect(1);
  net.Propose(1, "a");
  net.node(1).StepDown();
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.node(1).leader(), kNone);
  EXPECT_EQ(net.node(1).term(), Term(1));
  EXPECT_EQ(net.TryPropose(1, "b"), ProposeResult::kNoLeader);
  net.TickAll(45);
  ASSERT_NE(net.Leader(), 0u);
  EXPECT_GT(net.node(net.Leader()).term(), Term(1));
  net.Propose(net.Leader(), "c");
  EXPECT_EQ(net.at(1).AppliedData(), (std::vector<std::string>{"a", "c"}));
}

TEST(StepDownTest, MeansNothingToAFollowerNorToASoleVoter) {
  Network three({.voters = 3});
  three.Elect(1);
  three.node(2).StepDown();
  EXPECT_EQ(three.node(2).leader(), MemberId(1));
  Network one({.voters = 1, .learners = 1});
  one.Elect(1);
  one.node(1).StepDown();
  EXPECT_EQ(one.Leader(), 1u);
  EXPECT_EQ(one.node(1).BestTransferee(), kNone);
}

TEST(ForgetLeaderTest, LetsAFollowerGrantAPreVote) {
  Network net(Served(3));
  net.Elect(1);
  net.Isolate(1);
  net.node(3).ForgetLeader();
  EXPECT_EQ(net.node(3).leader(), kNone);
  EXPECT_EQ(net.node(3).term(), Term(1));
  net.Elect(2);
  EXPECT_EQ(net.Leader(), 2u);
  net.node(2).ForgetLeader();  // means nothing to a leader
  EXPECT_EQ(net.node(2).role(), Role::kLeader);
}

}  // namespace
}  // namespace kvorum::raft
