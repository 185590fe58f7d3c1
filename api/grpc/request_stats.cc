#include "api/grpc/request_stats.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "api/percent.h"
#include "base/log.h"
#include "proto/rpc.pb.h"
#include "server/request_text.h"

namespace kvorum::api {
namespace {

using google::protobuf::internal::WireFormatLite;
using server::RequestText;

// The last value of a varint field of the message in `bytes`, 0 without one. The answer of a list
// may be large, so it is not decoded.
int64_t VarintField(const grpc::ByteBuffer& bytes, int field) {
  grpc::ByteBuffer copy = bytes;  // a reference to the same slices
  grpc::ProtoBufferReader reader(&copy);
  google::protobuf::io::CodedInputStream input(&reader);
  const uint32_t wanted = WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
  uint64_t value = 0;
  while (const uint32_t tag = input.ReadTag()) {
    const bool ok =
        tag == wanted ? input.ReadVarint64(&value) : WireFormatLite::SkipField(&input, tag);
    if (!ok) break;
  }
  return static_cast<int64_t>(value);
}

template <typename Message>
Message Parse(const grpc::ByteBuffer& bytes) {
  Message message;
  grpc::ByteBuffer copy = bytes;
  grpc::ProtoBufferReader reader(&copy);
  message.ParseFromZeroCopyStream(&reader);
  return message;
}

int64_t SizeOf(const google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>& ops) {
  size_t size = 0;
  for (const etcdserverpb::RequestOp& op : ops) size += op.ByteSizeLong();
  return static_cast<int64_t>(size);
}

// Only the branch that was taken counts.
void AddTxn(const CallStats& call, MessageStats* stats) {
  stats->request_size = 0;
  if (stats->response_size == 0) return;
  const auto txn = Parse<etcdserverpb::TxnRequest>(*call.request);
  const bool succeeded =
      VarintField(*call.response, etcdserverpb::TxnResponse::kSucceededFieldNumber) != 0;
  const auto& ops = succeeded ? txn.success() : txn.failure();
  stats->request_count = ops.size();
  stats->request_size = SizeOf(ops);
  stats->request_content = RequestText(txn);
}

}  // namespace

MessageStats StatsOf(const CallStats& call) {
  MessageStats stats;
  constexpr std::string_view kKv = "/etcdserverpb.KV/";
  if (!call.method.starts_with(kKv)) return stats;
  const std::string_view method = call.method.substr(kKv.size());
  MessageStats sizes;
  sizes.request_count = 0;
  sizes.request_size = static_cast<int64_t>(call.request->Length());
  sizes.response_count = 0;
  sizes.response_size = static_cast<int64_t>(call.response->Length());
  if (method == "Range") {
    sizes.request_content = RequestText(Parse<etcdserverpb::RangeRequest>(*call.request));
    sizes.response_count =
        VarintField(*call.response, etcdserverpb::RangeResponse::kCountFieldNumber);
  } else if (method == "Put") {
    sizes.request_count = 1;
    sizes.request_content = RequestText(Parse<etcdserverpb::PutRequest>(*call.request));
  } else if (method == "DeleteRange") {
    sizes.request_content = RequestText(Parse<etcdserverpb::DeleteRangeRequest>(*call.request));
    sizes.response_count =
        VarintField(*call.response, etcdserverpb::DeleteRangeResponse::kDeletedFieldNumber);
  } else if (method == "Txn") {
    AddTxn(call, &sizes);
  } else {
    return stats;
  }
  return sizes;
}

std::string PeerAddress(std::string_view peer) {
  std::string plain;
  if (!PercentDecode(peer, &plain)) plain = peer;
  constexpr std::string_view kAbstract = "unix-abstract:";
  if (plain.starts_with(kAbstract)) return "@" + plain.substr(kAbstract.size());
  if (plain == "unix:") return "@";  // a client's socket rarely has a name
  for (const std::string_view scheme : {"ipv4:", "ipv6:", "unix:"}) {
    if (plain.starts_with(scheme)) return plain.substr(scheme.size());
  }
  return plain;
}

bool WantsCallStats(Duration spent, Duration limit) {
  return spent > limit || log::Enabled(log::Level::kDebug);
}

void LogCallStats(const CallStats& call) {
  const bool debug = log::Enabled(log::Level::kDebug);
  const MessageStats stats = StatsOf(call);
  log::Write(debug ? log::Level::kDebug : log::Level::kWarn, "request stats",
             {{"start time", call.started},
              {"time spent", call.spent},
              {"remote", PeerAddress(call.peer)},
              {"response type", call.method},
              {"request count", stats.request_count},
              {"request size", stats.request_size},
              {"response count", stats.response_count},
              {"response size", stats.response_size},
              {"request content", stats.request_content}});
}

}  // namespace kvorum::api
