#pragma once
// A store with leases, alarms and the whole chain of appliers on it, without log or stages;
// requests in protobuf's text form.

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "mvcc/store.h"
#include "server/alarm/alarm_store.h"
#include "server/apply/alarm_applier.h"
#include "server/apply/backend_applier.h"
#include "server/apply/quota.h"
#include "server/lease/lessor.h"
#include "server/range.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/fault_env.h"
#include "tests/testing/manual_clock.h"

namespace kvorum::server {

inline etcdserverpb::InternalRaftRequest Request(const std::string& text) {
  etcdserverpb::InternalRaftRequest request;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

class ApplierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto backend = mvcc::OpenBackend({.env = &env_, .directory = "/store", .create = true});
    ASSERT_OK(backend);
    auto store = mvcc::Store::Open(*std::move(backend), {.leases = &lessor_});
    ASSERT_OK(store);
    store_ = *std::move(store);
    slot_.Set(store_);
    SetQuota(0);
  }

  void SetQuota(int64_t bytes) {
    quota_ = std::make_unique<Quota>(bytes, slot_);
    backend_applier_ = std::make_unique<BackendApplier>(slot_, lessor_, alarms_);
    quota_applier_ = std::make_unique<QuotaApplier>(*backend_applier_, *quota_);
    applier_ = std::make_unique<AlarmApplier>(*quota_applier_, alarms_);
  }

  ApplyResult Apply(const std::string& text, bool want_response = true) {
    return applier_->Apply(Request(text), {.want_response = want_response});
  }
  Error ErrorOf(const std::string& text) { return Apply(text).error; }
  // The response of a request that must go well.
  template <typename Response>
  Response Get(const std::string& text) {
    ApplyResult result = Apply(text);
    EXPECT_EQ(result.error, Error::kOk) << text;
    return std::get<Response>(std::move(result.response));
  }
  etcdserverpb::PutResponse Put(const std::string& key, const std::string& value,
                                const std::string& more = "") {
    return Get<etcdserverpb::PutResponse>("put { key: '" + key + "' value: '" + value + "' " +
                                          more + " }");
  }
  etcdserverpb::TxnResponse Txn(const std::string& text) {
    return Get<etcdserverpb::TxnResponse>("txn { " + text + " }");
  }

  etcdserverpb::RangeResponse Range(const std::string& text) {
    etcdserverpb::RangeRequest request;
    CHECK(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
    RangeResult result;
    const auto error = ExecuteRange(
        request,
        [this](const mvcc::KeyRange& range, const mvcc::RangeOptions& options) {
          return store_->Range(range, options);
        },
        &result);
    EXPECT_OK(error);
    range_error_ = *error;
    etcdserverpb::RangeResponse response;
    FillRangeResponse(result, &response);
    return response;
  }
  // "key=value" of each row, by commas.
  static std::string Rows(const etcdserverpb::RangeResponse& response) {
    std::string out;
    for (const mvccpb::KeyValue& kv : response.kvs()) {
      if (!out.empty()) out += ",";
      out += kv.key() + "=" + kv.value();
    }
    return out;
  }
  std::string Value(const std::string& key) { return Rows(Range("key: '" + key + "'")); }
  int64_t revision() const { return store_->current_revision().value(); }

  ManualClock clock_;
  FaultEnv env_{clock_};
  Lessor lessor_{&clock_, {}};
  AlarmStore alarms_;
  std::shared_ptr<mvcc::Store> store_;
  StoreSlot slot_;
  std::unique_ptr<Quota> quota_;
  std::unique_ptr<BackendApplier> backend_applier_;
  std::unique_ptr<QuotaApplier> quota_applier_;
  std::unique_ptr<AlarmApplier> applier_;
  Error range_error_ = Error::kOk;
};

}  // namespace kvorum::server
