#include "server/member_calls.h"

#include <gtest/gtest.h>

#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

using Kind = MemberChange::Kind;

class MemberCallsTest : public ::testing::Test {
 protected:
  Error Change(MemberChange change) {
    TestCall call;
    member_.server->ChangeMember(change, TimePoint::max(), &call);
    EXPECT_TRUE(member_.StepUntil([&] { return call.done(); }));
    return call.error;
  }
  Error Change(Kind kind, MemberId id) { return Change({.kind = kind, .id = id, .peer_urls = {}}); }
  MemberId self() const { return member_.server->member_id(); }

  MemberHarness member_;
};

constexpr MemberId kStranger(0x1234);

TEST_F(MemberCallsTest, OnlyMemberIsNotRemoved) {
  member_.OpenAndWaitReady();
  EXPECT_EQ(Change(Kind::kRemove, self()), Error::kMemberNotEnoughStarted);
  EXPECT_EQ(member_.server->Members().size(), 1u);
}

TEST_F(MemberCallsTest, OnlyMemberIsNotRemovedWithoutStrictCheckEither) {
  member_.config.strict_reconfig_check = false;
  member_.OpenAndWaitReady();
  EXPECT_EQ(Change(Kind::kRemove, self()), Error::kMemberNotEnoughStarted);
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk) << "the server lives";
}

TEST_F(MemberCallsTest, UnknownMemberIsNotFound) {
  member_.OpenAndWaitReady();
  for (const Kind kind : {Kind::kRemove, Kind::kUpdate, Kind::kPromote}) {
    EXPECT_EQ(Change(kind, kStranger), Error::kMemberNotFound) << static_cast<int>(kind);
  }
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk) << "the log goes on behind refused changes";
}

TEST_F(MemberCallsTest, VoterIsNotPromoted) {
  member_.OpenAndWaitReady();
  EXPECT_EQ(Change(Kind::kPromote, self()), Error::kMemberNotLearner);
}

TEST_F(MemberCallsTest, NewPeerUrlsOutliveARestart) {
  member_.OpenAndWaitReady();
  const std::vector<std::string> urls = {"http://127.0.0.1:9", "http://127.0.0.1:8"};
  EXPECT_EQ(Change({.kind = Kind::kUpdate, .id = self(), .peer_urls = urls}), Error::kOk);
  EXPECT_EQ(member_.server->Members().at(0).peer_urls, urls) << "in the order given";
  EXPECT_EQ(member_.server->Members().at(0).name, "default");
  const MemberId id = self();
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.server->Members().at(0).peer_urls, urls);
  EXPECT_EQ(self(), id) << "an id is of the first URLs";
}

}  // namespace
}  // namespace kvorum::server
