// What the command line answers before any server runs: texts, streams and exit codes that units,
// scripts and etcd's own suites rely on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

CommandResult RunServer(const std::vector<std::string>& args,
                        const std::vector<std::string>& env = {}) {
  std::vector<std::string> argv = {ServerBinary()};
  argv.insert(argv.end(), args.begin(), args.end());
  return RunCommand(argv, env);
}

TEST(FlagsTest, VersionStartsAsToolsParseIt) {
  const CommandResult result = RunServer({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("etcd Version: 3.7.1\n"));
}

TEST(FlagsTest, HelpListsFlagsAndSucceeds) {
  const CommandResult result = RunServer({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("--listen-client-urls"));
}

TEST(FlagsTest, AnUnknownFlagEndsWithItsTextAndTwo) {
  const CommandResult result = RunServer({"--nosuch"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, StartsWith("flag provided but not defined: -nosuch\n"));
}

TEST(FlagsTest, ABadUrlNamesTheFlagAndTheReason) {
  const CommandResult result = RunServer({"--listen-client-urls=localhost:2379"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              StartsWith("invalid value \"localhost:2379\" for flag -listen-client-urls: URL "
                         "scheme must be http, https, unix, or unixs: localhost:2379\n"));
}

TEST(FlagsTest, ABadNumberIsAParseError) {
  const CommandResult result = RunServer({"--heartbeat-interval=abc"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              StartsWith("invalid value \"abc\" for flag -heartbeat-interval: parse error\n"));
}

TEST(FlagsTest, SettingsThatContradictEachOtherEndWithOne) {
  const CommandResult result = RunServer({"--heartbeat-interval=300"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--election-timeout[1000ms] should be at least as 5 times as "
                                    "--heartbeat-interval[300ms]"));
}

TEST(FlagsTest, AFlagAndItsVariableTogetherAreRefused) {
  const CommandResult result = RunServer({"--name=a"}, {"ETCD_NAME=b"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("conflicting environment variable is shadowed by corresponding "
                                    "command-line flag"));
}

TEST(FlagsTest, ABadVariableEndsWithOne) {
  const CommandResult result = RunServer({}, {"ETCD_HEARTBEAT_INTERVAL=abc"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("invalid value \\\"abc\\\" for ETCD_HEARTBEAT_INTERVAL: parse error"));
}

TEST(FlagsTest, TheSecondServerOnAPortIsTold) {
  ScratchDir dir;
  const Member member({.data_dir = dir.path() + "/first"});
  const std::string client = "http://" + member.endpoint();
  const CommandResult result =
      RunServer({"--data-dir=" + dir.path() + "/second", "--listen-client-urls=" + client,
                 "--advertise-client-urls=" + client, "--listen-peer-urls=http://127.0.0.1:0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("bind: address already in use"));
}

}  // namespace
}  // namespace kvorum::e2e
