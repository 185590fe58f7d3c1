#pragma once
// Range and RangeStream: the ways a list takes from the store to the client.
//
// A short one that memory answers is encoded on the spot. A long one goes to the read pool and is
// read in pieces (list_reader.h), each of which is turned into bytes of the answer before the next
// is read. Range then sends them as one message. RangeStream sends each piece for itself and reads
// the next while the client takes it: two are held at most.
//
// Follows etcd server/etcdserver/v3_server.go (Range, RangeStream).

#include "api/grpc/call.h"
#include "api/grpc/interceptors.h"
#include "api/grpc/list_reader.h"
#include "api/grpc/response_budget.h"
#include "api/grpc/splice.h"
#include "proto/rpc.pb.h"
#include "server/server.h"

namespace kvorum::api {

// What a stream of this kind cannot do: Unimplemented, in the original's words.
grpc::Status CheckRangeStream(const etcdserverpb::RangeRequest& request);

// How many rows the next message of a RangeStream may have, after one of `rows` and `bytes`. Counts
// double until a message has about `target_bytes`.
int64_t NextChunkRows(int64_t rows, size_t bytes, size_t target_bytes);

class RangeCalls {
 public:
  // All must outlive this.
  RangeCalls(server::Server* server, const Interceptors* interceptors, ResponseBudget* budget)
      : server_(*server), interceptors_(*interceptors), budget_(*budget) {}

  // Both with a valid request whose read index has been waited for. A list that finds no room in
  // the budget within the request timeout is refused as one request too many.
  Task<Reply> Range(UnaryCall& call, const etcdserverpb::RangeRequest& request);
  // A negative limit is none, and sort_target is of no meaning without an order.
  Task<grpc::Status> RangeStream(StreamCall& call, etcdserverpb::RangeRequest request);

 private:
  class ChunkReader;

  Task<Reply> LongRange(UnaryCall& call, ListReader& list);
  Task<server::Error> EnterPoolWithRoom(RangeEncoder& encoder, CallQueue& queue,
                                        TimePoint deadline);
  void FillHeader(etcdserverpb::RangeResponse* response) const;
  etcdserverpb::RangeResponse RestOf(const ListReader& list) const;

  server::Server& server_;
  const Interceptors& interceptors_;
  ResponseBudget& budget_;
};

}  // namespace kvorum::api
