#include "api/grpc/slow_read.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <string>

#include "base/strings.h"
#include "server/apply/slow_apply.h"

namespace kvorum::api {
namespace {

using google::protobuf::internal::WireFormatLite;
using server::Error;

// The rows of an encoded RangeResponse, which may be too large to be decoded for this.
int64_t CountRows(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy = bytes;  // a reference to the same slices
  grpc::ProtoBufferReader reader(&copy);
  google::protobuf::io::CodedInputStream input(&reader);
  constexpr uint32_t kRow = WireFormatLite::MakeTag(etcdserverpb::RangeResponse::kKvsFieldNumber,
                                                    WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  int64_t rows = 0;
  while (const uint32_t tag = input.ReadTag()) {
    if (tag == kRow) ++rows;
    if (!WireFormatLite::SkipField(&input, tag)) break;
  }
  return rows;
}

std::string RowsOf(const etcdserverpb::TxnResponse& response) {
  std::string text;
  for (const etcdserverpb::ResponseOp& op : response.responses()) {
    if (!op.has_response_range()) continue;
    StrAppend(&text, text.empty() ? "" : " ",
              "range_response_count:", op.response_range().kvs_size());
  }
  return text;
}

// The store's own errors have no more than its name in etcd's log.
std::string LogText(const grpc::Status& status) {
  constexpr std::string_view kServer = "etcdserver: ";
  constexpr std::string_view kStore = "mvcc: ";
  const std::string text = status.error_message();
  const bool of_store = text.starts_with(kServer) &&
                        std::string_view(text).substr(kServer.size()).starts_with(kStore);
  return of_store ? text.substr(kServer.size()) : text;
}

}  // namespace

void WarnIfSlowRange(const etcdserverpb::RangeRequest& request, const Reply& reply,
                     const Interceptors& interceptors, const ReadTime& time) {
  if (time.took <= time.limit) return;
  std::string response;
  if (reply.status.ok()) {
    etcdserverpb::ResponseHeader header;
    interceptors.FillHeaderWithoutRevision(&header);
    response = StrCat("range_response_count:", CountRows(reply.bytes),
                      " size:", reply.bytes.Length() - header.ByteSizeLong());
  }
  server::WarnOfSlowRead(request, {.kind = "read-only range",
                                   .response = response,
                                   .error = LogText(reply.status),
                                   .took = time.took,
                                   .expected = time.limit});
}

void WarnIfSlowTxn(const etcdserverpb::TxnRequest& request, Error error,
                   const etcdserverpb::TxnResponse& response, const ReadTime& time) {
  if (time.took <= time.limit) return;
  std::string text;
  if (error == Error::kOk) {
    text = StrCat("responses:<", RowsOf(response), "> size:", response.ByteSizeLong());
  }
  server::WarnOfSlowRead(request, {.kind = "read-only txn",
                                   .response = text,
                                   .error = LogText(ToStatus(error)),
                                   .took = time.took,
                                   .expected = time.limit});
}

}  // namespace kvorum::api
