#include "api/grpc/splice.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/grpc/wire.h"

namespace kvorum::api {
namespace {

mvccpb::KeyValue KeyValue(const std::string& key, size_t value_bytes) {
  mvccpb::KeyValue kv;
  kv.set_key(key);
  kv.set_value(std::string(value_bytes, 'v'));
  kv.set_create_revision(2);
  kv.set_mod_revision(3);
  kv.set_version(2);
  return kv;
}

etcdserverpb::ResponseHeader Header() {
  etcdserverpb::ResponseHeader header;
  header.set_cluster_id(1);
  header.set_revision(77);
  return header;
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

etcdserverpb::RangeResponse Rest() {
  etcdserverpb::RangeResponse rest;
  *rest.mutable_header() = Header();
  rest.set_more(true);
  rest.set_count(1234567);
  return rest;
}

// Rows with values of these sizes, and the message they are part of.
std::vector<mvcc::Row> Rows(const std::vector<size_t>& value_bytes,
                            etcdserverpb::RangeResponse* message) {
  std::vector<mvcc::Row> rows;
  for (const size_t size : value_bytes) {
    const mvccpb::KeyValue kv = KeyValue("k" + std::to_string(size), size);
    *message->add_kvs() = kv;
    rows.emplace_back().bytes = SharedBytes(kv.SerializeAsString());
  }
  return rows;
}

TEST(SpliceTest, ShortRangeResponseIsWhatProtobufWrites) {
  etcdserverpb::RangeResponse expected = Rest();
  const std::vector<mvcc::Row> rows = Rows({0, 1, 127, 128, 20000, 5}, &expected);
  EXPECT_EQ(Bytes(EncodeRangeResponse(Rest(), rows)), expected.SerializeAsString());
  EXPECT_EQ(Bytes(EncodeRangeResponse({}, {})), "");
}

// Sizes to both sides of what is shared instead of copied, and rows across the borders of slices.
TEST(RangeEncoderTest, PiecesTogetherAreWhatProtobufWrites) {
  ResponseBudget budget;
  RangeEncoder encoder(&budget);
  etcdserverpb::RangeResponse expected = Rest();
  encoder.Add(Rows({0, 1, 127, 128, 300000, 20000, 16000, 5}, &expected));
  encoder.Add({});
  encoder.Add(Rows(std::vector<size_t>(100, 9000), &expected));
  encoder.Add(Rows({17000, 17001}, &expected));
  EXPECT_EQ(encoder.row_bytes(), expected.ByteSizeLong() - Rest().ByteSizeLong());
  const grpc::ByteBuffer message = encoder.RangeResponse(Rest());
  EXPECT_EQ(Bytes(message), expected.SerializeAsString());
}

TEST(RangeEncoderTest, AChunkOfAStreamIsWrapped) {
  ResponseBudget budget;
  for (const size_t size : {0, 100, 40000}) {
    etcdserverpb::RangeStreamResponse expected;
    RangeEncoder middle(&budget);
    middle.Add(Rows({size}, expected.mutable_range_response()));
    EXPECT_EQ(Bytes(middle.RangeStreamResponse({})), expected.SerializeAsString());
    *expected.mutable_range_response() = Rest();
    RangeEncoder last(&budget);
    last.Add(Rows({size}, expected.mutable_range_response()));
    EXPECT_EQ(Bytes(last.RangeStreamResponse(Rest())), expected.SerializeAsString());
  }
}

TEST(RangeEncoderTest, LargeRowsAreSharedAndRowsAreLetGoOneByOne) {
  ResponseBudget budget;
  RangeEncoder encoder(&budget);
  etcdserverpb::RangeResponse expected;
  std::vector<mvcc::Row> rows = Rows({100000, 10}, &expected);
  const std::string_view where = rows[0].bytes.view();
  encoder.Add(std::move(rows));
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(encoder.RangeResponse({}).Dump(&slices).ok());
  const auto shows = [where](const grpc::Slice& slice) {
    return reinterpret_cast<const char*>(slice.begin()) == where.data();
  };
  EXPECT_TRUE(std::any_of(slices.begin(), slices.end(), shows));
}

TEST(RangeEncoderTest, BytesAreChargedUntilTheLastReferenceIsGone) {
  ResponseBudget budget;
  etcdserverpb::RangeResponse expected;
  grpc::ByteBuffer message;
  {
    RangeEncoder encoder(&budget);
    encoder.Add(Rows({300000, 10000, 10000}, &expected));
    EXPECT_EQ(budget.held_bytes(), static_cast<int64_t>(encoder.row_bytes()));
    grpc::ByteBuffer encoded = encoder.RangeResponse({});
    message.Swap(&encoded);
  }
  EXPECT_EQ(budget.held_bytes(), static_cast<int64_t>(expected.ByteSizeLong()));
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(message.Dump(&slices).ok());
  message.Clear();
  slices.erase(slices.begin(), slices.end() - 2);  // rows behind the shared one, and the tail
  EXPECT_LT(budget.held_bytes(), 30000);
  EXPECT_GT(budget.held_bytes(), 20000);
  slices.clear();
  EXPECT_EQ(budget.held_bytes(), 0);
}

// gRPC's own way of taking a message.
TEST(WireTest, AnOutgoingMessageLeavesNothingBehind) {
  ResponseBudget budget;
  RangeEncoder encoder(&budget);
  etcdserverpb::RangeResponse ignored;
  encoder.Add(Rows({1000}, &ignored));
  grpc::ByteBuffer message = encoder.RangeResponse({});
  const Outgoing outgoing(&message);
  grpc::ByteBuffer taken;
  bool own = false;
  ASSERT_TRUE(grpc::SerializationTraits<Outgoing>::Serialize(outgoing, &taken, &own).ok());
  EXPECT_TRUE(own);
  EXPECT_GT(budget.held_bytes(), 1000);
  taken.Clear();
  EXPECT_EQ(budget.held_bytes(), 0);
}

mvcc::WatchEvent PutEvent(const std::string& key, size_t value_bytes) {
  mvcc::WatchEvent event;
  event.kv = SharedBytes(KeyValue(key, value_bytes).SerializeAsString());
  return event;
}

TEST(SpliceTest, WatchResponseIsWhatProtobufWrites) {
  mvcc::WatchResponse response;
  response.watch_id = -1;
  response.canceled = true;
  response.compact_revision = Revision(9);
  response.cancel_reason = "why";
  response.events.push_back(PutEvent("a", 200));
  response.events.push_back(PutEvent("b", 1));
  response.events[1].is_delete = true;
  response.events[1].prev_kv = response.events[0].kv;

  etcdserverpb::WatchResponse expected;
  *expected.mutable_header() = Header();
  expected.set_watch_id(-1);
  expected.set_canceled(true);
  expected.set_compact_revision(9);
  expected.set_cancel_reason("why");
  *expected.add_events()->mutable_kv() = KeyValue("a", 200);
  mvccpb::Event* event = expected.add_events();
  event->set_type(mvccpb::Event::DELETE);
  *event->mutable_kv() = KeyValue("b", 1);
  *event->mutable_prev_kv() = KeyValue("a", 200);

  const auto pieces = EncodeWatchResponse(Header(), response, 1 << 20);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(Bytes(pieces[0]), expected.SerializeAsString());
}

TEST(SpliceTest, FragmentsStayBelowTheBoundAndSaySo) {
  mvcc::WatchResponse response;
  for (int i = 0; i < 10; ++i) response.events.push_back(PutEvent("k", 100));
  response.events.push_back(PutEvent("large", 5000));
  response.events.push_back(PutEvent("k", 100));
  EXPECT_EQ(EncodeWatchResponse(Header(), response, 600).size(), 1u) << "not asked for";
  response.may_fragment = true;
  const auto pieces = EncodeWatchResponse(Header(), response, 600);
  ASSERT_GT(pieces.size(), 3u);
  int events = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    etcdserverpb::WatchResponse piece;
    ASSERT_TRUE(piece.ParseFromString(Bytes(pieces[i])));
    EXPECT_TRUE(pieces[i].Length() < 600 || piece.events_size() == 1);
    EXPECT_EQ(piece.fragment(), i + 1 < pieces.size());
    EXPECT_EQ(piece.header().revision(), 77);
    events += piece.events_size();
  }
  EXPECT_EQ(events, 12);
}

TEST(SpliceTest, OneEventIsNeverCut) {
  mvcc::WatchResponse response;
  response.may_fragment = true;
  response.events.push_back(PutEvent("large", 5000));
  EXPECT_EQ(EncodeWatchResponse(Header(), response, 600).size(), 1u);
}

TEST(WireTest, MessagesComeBackAlsoFromSeveralSlices) {
  const mvccpb::KeyValue kv = KeyValue("key", 100);
  const std::string bytes = kv.SerializeAsString();
  const grpc::Slice slices[] = {grpc::Slice(bytes.substr(0, 7)), grpc::Slice(bytes.substr(7))};
  for (const grpc::ByteBuffer& buffer : {Encode(kv), grpc::ByteBuffer(slices, 2)}) {
    mvccpb::KeyValue parsed;
    ASSERT_TRUE(Decode(buffer, 1000, &parsed).ok());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(kv, parsed));
  }
}

TEST(WireTest, AnEmptyMessageIsAMessage) {
  mvccpb::KeyValue parsed = KeyValue("left over", 1);
  ASSERT_TRUE(Decode(grpc::ByteBuffer(), 1000, &parsed).ok());
  EXPECT_TRUE(parsed.key().empty());
}

TEST(WireTest, GarbageAndSizeAreToldInTheOriginalsWords) {
  mvccpb::KeyValue parsed;
  const grpc::Slice garbage(std::string("\x0a\x7f zu kurz"));
  grpc::Status status = Decode(grpc::ByteBuffer(&garbage, 1), 1000, &parsed);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(),
            "grpc: error unmarshalling request: proto: cannot parse invalid wire-format data");
  status = Decode(grpc::ByteBuffer(&garbage, 1), 1000, &parsed, kNoStreamMessage);
  EXPECT_EQ(status.error_message(),
            "grpc: failed to unmarshal the received message: proto: cannot parse invalid "
            "wire-format data");
  status = Decode(grpc::ByteBuffer(&garbage, 1), 3, &parsed);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "grpc: received message larger than max (10 vs. 3)");
}

}  // namespace
}  // namespace kvorum::api
