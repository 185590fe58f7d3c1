// A stock etcdctl (Debian's 3.4) drives a real member: the commands of a first session, their exact
// output, and the errors users and scripts match on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class EtcdctlTest : public ::testing::Test {
 protected:
  // Output of a command that must succeed.
  std::string Ok(const std::vector<std::string>& args, const std::string& input = "") {
    const CommandResult result = member_->Etcdctl(args, input);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  // The error line of a command that must fail with etcdctl's exit code for server errors.
  std::string Fails(const std::vector<std::string>& args, const std::string& input = "") {
    const CommandResult result = member_->Etcdctl(args, input);
    EXPECT_NE(result.exit_code, 0) << result.out;
    return result.err;
  }
  void Restart(int signal) {
    const Member::Options options = member_->options();
    member_->process().Signal(signal);
    member_->process().Wait();
    member_ = std::make_unique<Member>(options);
  }

  ScratchDir dir_;
  std::unique_ptr<Member> member_ =
      std::make_unique<Member>(Member::Options{.data_dir = dir_.path() + "/data"});
};

TEST_F(EtcdctlTest, PutThenGetPrintsKeyAndValue) {
  EXPECT_EQ(Ok({"put", "greeting", "hello"}), "OK\n");
  EXPECT_EQ(Ok({"get", "greeting"}), "greeting\nhello\n");
  EXPECT_EQ(Ok({"get", "absent"}), "");
}

TEST_F(EtcdctlTest, GetByPrefixFromKeyLimitOrderAndCount) {
  for (const char* key : {"a1", "a2", "a3", "b1"}) Ok({"put", key, std::string("v-") + key});
  EXPECT_EQ(Ok({"get", "a", "--prefix", "--keys-only"}), "a1\n\na2\n\na3\n\n");
  EXPECT_EQ(Ok({"get", "a2", "--from-key", "--print-value-only"}), "v-a2\nv-a3\nv-b1\n");
  EXPECT_EQ(Ok({"get", "a1", "b", "--limit=2"}), "a1\nv-a1\na2\nv-a2\n");
  EXPECT_EQ(Ok({"get", "a", "--prefix", "--order=DESCEND", "--sort-by=KEY", "--limit=1"}),
            "a3\nv-a3\n");
  EXPECT_THAT(Ok({"get", "", "--prefix", "--limit=1", "-w", "fields"}),
              AllOf(HasSubstr("\"Count\" : 4"), HasSubstr("\"More\" : true")));
}

TEST_F(EtcdctlTest, GetAtAnOldRevisionShowsWhatStoodThere) {
  Ok({"put", "k", "old"});  // revision 2
  Ok({"put", "k", "new"});
  EXPECT_EQ(Ok({"get", "k", "--rev=2"}), "k\nold\n");
  EXPECT_THAT(Fails({"get", "k", "--rev=99"}),
              HasSubstr("etcdserver: mvcc: required revision is a future revision"));
}

TEST_F(EtcdctlTest, DelCountsWhatItRemovedAndCanShowIt) {
  Ok({"put", "x1", "1"});
  Ok({"put", "x2", "2"});
  EXPECT_EQ(Ok({"del", "x", "--prefix", "--prev-kv"}), "2\nx1\n1\nx2\n2\n");
  EXPECT_EQ(Ok({"del", "x", "--prefix"}), "0\n");
}

TEST_F(EtcdctlTest, TxnTakesTheBranchItsComparesChoose) {
  Ok({"put", "flag", "on"});
  const std::string txn = "value(\"flag\") = \"on\"\n\nput taken yes\nget flag\n\nput taken no\n\n";
  EXPECT_EQ(Ok({"txn"}, txn), "SUCCESS\n\nOK\n\nflag\non\n");
  Ok({"put", "flag", "off"});
  EXPECT_EQ(Ok({"txn"}, txn), "FAILURE\n\nOK\n");
  EXPECT_EQ(Ok({"get", "taken", "--print-value-only"}), "no\n");
}

TEST_F(EtcdctlTest, CompactionHidesOldRevisionsAndRefusesToRepeat) {
  for (int i = 0; i < 5; ++i) Ok({"put", "k", std::to_string(i)});  // revisions 2..6
  EXPECT_EQ(Ok({"compact", "5"}), "compacted revision 5\n");
  EXPECT_EQ(Ok({"get", "k", "--rev=5"}), "k\n3\n");
  EXPECT_THAT(Fails({"get", "k", "--rev=4"}),
              HasSubstr("etcdserver: mvcc: required revision has been compacted"));
  EXPECT_THAT(Fails({"compact", "5"}),
              HasSubstr("Error: etcdserver: mvcc: required revision has been compacted"));
  EXPECT_THAT(Fails({"compact", "700"}),
              HasSubstr("Error: etcdserver: mvcc: required revision is a future revision"));
  EXPECT_EQ(Ok({"compact", "6", "--physical"}), "compacted revision 6\n");
}

TEST_F(EtcdctlTest, SnapshotIsSavedAndRestored) {
  for (int i = 0; i < 5; ++i) Ok({"put", "k" + std::to_string(i), "v"});  // revisions 2..6
  const std::string file = dir_.path() + "/saved.db";
  EXPECT_THAT(Ok({"snapshot", "save", file}), HasSubstr("Snapshot saved at " + file));
  EXPECT_THAT(Ok({"snapshot", "status", file, "-w", "fields"}), HasSubstr("\"Revision\" : 6"));
  const std::string restored = dir_.path() + "/restored";
  Ok({"snapshot", "restore", file, "--data-dir=" + restored});
  EXPECT_NE(std::filesystem::file_size(restored + "/member/snap/db"), 0u);
}

TEST_F(EtcdctlTest, WatchReplaysHistoryFromARevision) {
  Ok({"put", "w/a", "1"});  // revision 2
  Ok({"put", "w/b", "2"});
  Ok({"del", "w/a"});
  Process watch({"etcdctl", "--endpoints=" + member_->endpoint(), "watch", "w/", "--prefix",
                 "--rev=2", "--prev-kv"},
                {"ETCDCTL_API=3"});
  ASSERT_TRUE(watch.WaitForOutput("DELETE\nw/a\n1\nw/a\n"));
  Ok({"put", "w/c", "live"});
  ASSERT_TRUE(watch.WaitForOutput("PUT\nw/c\nlive\n"));
  EXPECT_THAT(watch.output(), StartsWith("PUT\nw/a\n1\nPUT\nw/b\n2\n"));
}

TEST_F(EtcdctlTest, LeaseTakesItsKeysAlongWhenRevoked) {
  const std::string granted = Ok({"lease", "grant", "600"});
  ASSERT_THAT(granted, HasSubstr("granted with TTL(600s)"));
  const std::string id = granted.substr(6, granted.find(" granted") - 6);
  Ok({"put", "leased", "x", "--lease=" + id});
  EXPECT_THAT(Ok({"lease", "timetolive", id, "--keys"}), HasSubstr("attached keys([leased])"));
  EXPECT_THAT(Ok({"lease", "list"}), HasSubstr(id));
  EXPECT_THAT(Ok({"lease", "keep-alive", "--once", id}), HasSubstr("keepalived with TTL(600)"));
  EXPECT_THAT(Ok({"lease", "revoke", id}), HasSubstr("revoked"));
  EXPECT_EQ(Ok({"get", "leased"}), "");
  EXPECT_THAT(Fails({"lease", "revoke", id}), HasSubstr("etcdserver: requested lease not found"));
  EXPECT_THAT(Fails({"put", "leased", "x", "--lease=" + id}),
              HasSubstr("etcdserver: requested lease not found"));
}

TEST_F(EtcdctlTest, AnExpiredLeaseDeletesItsKey) {
  const std::string granted = Ok({"lease", "grant", "1"});  // raised to the minimum, 2 s
  const std::string id = granted.substr(6, granted.find(" granted") - 6);
  Process watch({"etcdctl", "--endpoints=" + member_->endpoint(), "watch", "short"},
                {"ETCDCTL_API=3"});
  Ok({"put", "short", "lived", "--lease=" + id});
  EXPECT_TRUE(watch.WaitForOutput("DELETE\nshort\n"));
  EXPECT_EQ(Ok({"get", "short"}), "");
}

TEST_F(EtcdctlTest, StatusHealthHashAndMembersAreAnswered) {
  Ok({"put", "a", "1"});
  EXPECT_THAT(Ok({"endpoint", "status"}), HasSubstr("3.7.1"));
  EXPECT_THAT(member_->Etcdctl({"endpoint", "health"}).err, HasSubstr("is healthy"));
  EXPECT_THAT(Ok({"endpoint", "hashkv"}), HasSubstr(member_->endpoint() + ", "));
  EXPECT_THAT(Ok({"member", "list"}), HasSubstr(", started, m1, "));
  EXPECT_EQ(Ok({"alarm", "list"}), "");
}

TEST_F(EtcdctlTest, BinaryKeysAndLargeValuesComeBackUnchanged) {
  std::string value(1 << 20, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 131 % 251 + 1);
  Ok({"put", "big"}, value);
  EXPECT_EQ(Ok({"get", "big", "--print-value-only"}), value + "\n");
}

TEST_F(EtcdctlTest, ARequestOverTheLimitIsRefusedWithItsText) {
  const std::string value(1572864 + 1, 'x');
  EXPECT_THAT(Fails({"put", "k"}, value), HasSubstr("etcdserver: request is too large"));
  EXPECT_EQ(Ok({"put", "k", "v"}), "OK\n");
}

TEST_F(EtcdctlTest, AnEmptyKeyIsRefused) {
  EXPECT_THAT(Fails({"put", "", "v"}), HasSubstr("etcdserver: key is not provided"));
}

TEST_F(EtcdctlTest, WhatWasAcknowledgedIsThereAfterKillAndAfterAStop) {
  Ok({"put", "a", "1"});
  const std::string granted = Ok({"lease", "grant", "600"});
  const std::string id = granted.substr(6, granted.find(" granted") - 6);
  Ok({"put", "b", "2", "--lease=" + id});
  const std::string hash = Ok({"endpoint", "hashkv"});
  Restart(SIGKILL);
  EXPECT_EQ(Ok({"get", "", "--prefix"}), "a\n1\nb\n2\n");
  EXPECT_EQ(Ok({"endpoint", "hashkv"}), hash);
  Restart(SIGTERM);
  EXPECT_EQ(Ok({"get", "", "--prefix"}), "a\n1\nb\n2\n");
  EXPECT_EQ(Ok({"endpoint", "hashkv"}), hash);
  EXPECT_THAT(Ok({"lease", "timetolive", id, "--keys"}), HasSubstr("attached keys([b])"));
}

TEST_F(EtcdctlTest, SigtermEndsTheProcessByThatSignal) {
  Ok({"put", "a", "1"});
  member_->process().Signal(SIGTERM);
  EXPECT_EQ(member_->process().Wait(), 128 + SIGTERM);
  EXPECT_THAT(member_->process().output(), HasSubstr("received signal; shutting down"));
}

}  // namespace
}  // namespace kvorum::e2e
