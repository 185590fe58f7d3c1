#pragma once
// etcdserverpb.KV: Range, RangeStream, Put, DeleteRange, Txn, Compact. Follows etcd
// server/etcdserver/api/v3rpc/key.go and the read paths of server/etcdserver/v3_server.go.

#include "api/grpc/range_calls.h"
#include "api/grpc/service.h"
#include "api/grpc/slow_read.h"
#include "server/metrics.h"

namespace kvorum::api {

class KvService final : public Service {
 public:
  explicit KvService(const ServiceContext& context);

 private:
  Task<Reply> Range(UnaryCall& call);
  Task<grpc::Status> RangeStream(StreamCall& call);
  Task<Reply> Put(UnaryCall& call);
  Task<Reply> DeleteRange(UnaryCall& call);
  Task<Reply> Txn(UnaryCall& call);
  Task<Reply> Compact(UnaryCall& call);

  Task<Reply> ReadOnlyTxn(UnaryCall& call, const etcdserverpb::TxnRequest& request);
  // Of a read so far, and how long it may take without a word.
  ReadTime TimeOf(const server::RequestMeter& meter);

  RangeCalls ranges_;
};

}  // namespace kvorum::api
