// The runbook of a member that ran out of its space quota, with a stock etcdctl: compact,
// defragment, disarm, go on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kNoSpace[] = "etcdserver: mvcc: database space exceeded";

class QuotaTest : public ::testing::Test {
 protected:
  void StartMember(int64_t quota_bytes) {
    member_ = std::make_unique<Member>(
        Member::Options{.data_dir = dir_.path() + "/data",
                        .extra_args = {"--quota-backend-bytes=" + std::to_string(quota_bytes)}});
  }
  std::string Ok(const std::vector<std::string>& args, const std::string& input = "") {
    const CommandResult result = member_->Etcdctl(args, input);
    EXPECT_EQ(result.exit_code, 0) << args[0] << ": " << result.err;
    return result.out;
  }
  bool Put(const std::string& key, const std::string& value) {
    const CommandResult result = member_->Etcdctl({"put", key}, value);
    if (result.exit_code != 0) {
      EXPECT_THAT(result.err, HasSubstr(kNoSpace));
    }
    return result.exit_code == 0;
  }
  // How many puts of `bytes` to one key succeeded; `limit` if none was refused.
  int PutUntilRefused(size_t bytes, int limit) {
    const std::string value(bytes, 'b');
    for (int n = 0; n < limit; ++n) {
      if (!Put("full", value)) return n;
    }
    return limit;
  }
  // A number of the status's JSON.
  int64_t Status(const std::string& field) {
    const std::string json = Ok({"endpoint", "status", "-w", "json"});
    const size_t at = json.find("\"" + field + "\":");
    EXPECT_NE(at, std::string::npos) << field << " in " << json;
    return at == std::string::npos ? 0 : std::stoll(json.substr(at + field.size() + 3));
  }
  void MakeSpaceAndDisarm() {
    Ok({"compact", "--physical", std::to_string(Status("revision"))});
    Ok({"defrag"});
    EXPECT_EQ(Status("dbSize"), Status("dbSizeInUse"));
    Ok({"alarm", "disarm"});
    EXPECT_THAT(Ok({"alarm", "list"}), IsEmpty());
  }

  ScratchDir dir_;
  std::unique_ptr<Member> member_;
};

// The numbers of the original's own test: 13 pages, values of one page.
TEST_F(QuotaTest, SmallStoreRecovers) {
  StartMember(13 * 4096);
  EXPECT_GT(Status("dbSize"), 0);
  EXPECT_LT(Status("dbSize"), 30'000);
  ASSERT_TRUE(Put("first", std::string(64, 'a')));
  const int fitting = PutUntilRefused(4096, 30);
  EXPECT_GT(fitting, 2);
  EXPECT_LT(fitting, 13);
  EXPECT_THAT(Ok({"alarm", "list"}), HasSubstr("alarm:NOSPACE"));
  EXPECT_FALSE(Put("third", std::string(64, 'a')));
  EXPECT_THAT(Ok({"get", "first"}), HasSubstr("aaaa"));

  MakeSpaceAndDisarm();
  EXPECT_TRUE(Put("fourth", std::string(64, 'a')));
}

TEST_F(QuotaTest, LargerStoreRecoversAndKeepsItsAlarmOverARestart) {
  StartMember(16 << 20);
  const int fitting = PutUntilRefused(1 << 20, 30);
  EXPECT_GE(fitting, 14);
  EXPECT_LE(fitting, 16);
  const Member::Options options = member_->options();
  member_->process().Signal(SIGTERM);
  member_->process().Wait();
  member_ = std::make_unique<Member>(options);
  EXPECT_THAT(Ok({"alarm", "list"}), HasSubstr("alarm:NOSPACE"));
  EXPECT_GT(Status("dbSize"), 14 << 20);
  Ok({"del", "nothing"});  // what frees space is allowed

  MakeSpaceAndDisarm();
  EXPECT_LT(Status("dbSize"), 2 << 20);
  EXPECT_GE(PutUntilRefused(1 << 20, 10), 10);
}

}  // namespace
}  // namespace kvorum::e2e
