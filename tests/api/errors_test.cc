#include "api/errors.h"

#include <gtest/gtest.h>

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using server::Error;

TEST(ErrorsTest, OkIsOk) { EXPECT_TRUE(ToStatus(Error::kOk).ok()); }

TEST(ErrorsTest, CodeAndTextAreEtcds) {
  struct Case {
    Error error;
    StatusCode code;
    const char* text;
  };
  const Case cases[] = {
      {Error::kEmptyKey, StatusCode::INVALID_ARGUMENT, "etcdserver: key is not provided"},
      {Error::kCompacted, StatusCode::OUT_OF_RANGE,
       "etcdserver: mvcc: required revision has been compacted"},
      {Error::kFutureRevision, StatusCode::OUT_OF_RANGE,
       "etcdserver: mvcc: required revision is a future revision"},
      {Error::kNoSpace, StatusCode::RESOURCE_EXHAUSTED,
       "etcdserver: mvcc: database space exceeded"},
      {Error::kLeaseNotFound, StatusCode::NOT_FOUND, "etcdserver: requested lease not found"},
      {Error::kRequestTooLarge, StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large"},
      {Error::kNoLeader, StatusCode::UNAVAILABLE, "etcdserver: no leader"},
      {Error::kCorrupt, StatusCode::DATA_LOSS, "etcdserver: corrupt cluster"},
      {Error::kContextCanceled, StatusCode::CANCELLED, "context canceled"},
      {Error::kDeadlineExceeded, StatusCode::DEADLINE_EXCEEDED, "context deadline exceeded"},
  };
  for (const Case& c : cases) {
    const grpc::Status status = ToStatus(c.error);
    EXPECT_EQ(status.error_code(), c.code) << c.text;
    EXPECT_EQ(status.error_message(), c.text);
  }
}

// The original hands these out without a status of their own; clients know them by their text.
TEST(ErrorsTest, SomeTravelAsUnknown) {
  for (const Error error : {Error::kTooManyRequests, Error::kMemberNotEnoughStarted,
                            Error::kNotPrimaryLessor, Error::kProposalDropped}) {
    EXPECT_EQ(ToStatus(error).error_code(), StatusCode::UNKNOWN) << ToStatus(error).error_message();
  }
}

TEST(ErrorsTest, EveryErrorHasAText) {
  for (int i = 1; i <= static_cast<int>(Error::kInternal); ++i) {
    const ErrorEntry entry = DescribeError(static_cast<Error>(i));
    EXPECT_NE(entry.code, StatusCode::OK) << i;
    EXPECT_FALSE(entry.text.empty()) << i;
    EXPECT_NE(entry.text, "etcdserver: unknown error") << i;
  }
}

}  // namespace
}  // namespace kvorum::api
