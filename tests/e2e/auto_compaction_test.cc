// Automatic compaction and lease checkpoints of a real process. $KVORUM_BIN points these at the
// reference, which has to pass them as well.

#include <gtest/gtest.h>

#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

std::vector<std::string> Retention(const std::string& text) {
  return {"--auto-compaction-retention=" + text};
}

TEST(AutoCompactionTest, HistoryOlderThanThePeriodIsForgotten) {
  const ScratchDir dir;
  Member member({.data_dir = dir.path() + "/m", .extra_args = Retention("1s")});
  Process& server = member.process();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(member.Etcdctl({"put", "a", std::to_string(i)}).exit_code, 0);
  }
  ASSERT_TRUE(server.WaitForOutput("starting auto periodic compaction"));
  ASSERT_TRUE(server.WaitForOutput("completed auto periodic compaction"));
  EXPECT_TRUE(server.WaitForOutput("\"compact-period\":\"1s\""));
  // Revision 6 is a second old by then, so 2 is gone.
  ASSERT_TRUE(server.WaitForOutput("\"revision\":6,\"compact-period\":\"1s\",\"took\":"));
  const CommandResult old = member.Etcdctl({"get", "a", "--rev=2"});
  EXPECT_NE(old.exit_code, 0);
  EXPECT_NE(old.err.find("required revision has been compacted"), std::string::npos) << old.err;
  EXPECT_EQ(member.Etcdctl({"get", "a", "--print-value-only"}).out, "4\n");
}

TEST(AutoCompactionTest, BadRetentionEndsTheStart) {
  const ScratchDir dir;
  Process server({ServerBinary(), "--data-dir=" + dir.path() + "/m",
                  "--listen-client-urls=http://127.0.0.1:" + std::to_string(FreePort()),
                  "--advertise-client-urls=http://127.0.0.1:1",
                  "--listen-peer-urls=http://127.0.0.1:" + std::to_string(FreePort()),
                  "--auto-compaction-retention=xx"},
                 {});
  EXPECT_EQ(server.Wait(), 1);
  EXPECT_TRUE(server.WaitForOutput("\"discovery failed\""));
  EXPECT_TRUE(server.WaitForOutput("error parsing CompactionRetention: time: invalid duration"));
}

TEST(AutoCompactionTest, GatesOfLeasesAndChecksStart) {
  const ScratchDir dir;
  Member::Options options{.data_dir = dir.path() + "/m",
                          .extra_args = {"--feature-gates=InitialCorruptCheck=true,"
                                         "LeaseCheckpoint=true,FastLeaseKeepAlive=false,"
                                         "PriorityRequest=true,SetMemberLocalAddr=true"}};
  {
    const Member member(options);
    ASSERT_EQ(member.Etcdctl({"put", "a", "1"}).exit_code, 0);
    const CommandResult lease = member.Etcdctl({"lease", "grant", "600"});
    ASSERT_EQ(lease.exit_code, 0);
    const std::string id = lease.out.substr(6, 16);  // "lease 694d... granted with TTL(600s)"
    EXPECT_NE(member.Etcdctl({"lease", "keep-alive", "--once", id}).out.find("TTL(600)"),
              std::string::npos);
  }
  Member member(options);
  EXPECT_TRUE(member.process().WaitForOutput("starting initial corruption check"));
  EXPECT_TRUE(member.process().WaitForOutput("initial corruption checking passed; no corruption"));
  EXPECT_TRUE(member.process().WaitForOutput("unable to set a member local address"));
}

}  // namespace
}  // namespace kvorum::e2e
