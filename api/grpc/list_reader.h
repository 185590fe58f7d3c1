#pragma once
// ListReader: one Range, read in pieces that together show the store as it was at the first.
//
// In pieces: a request for rows in key order without revision filters, which is what long lists
// are. Any other is read whole, as one piece. What may happen between two pieces: puts, which the
// list does not see, for it stays at the first piece's revision; and a compaction above that
// revision, after which Next says kCompacted. Holds nothing of the store between pieces. Blocks in
// Next: for the read pool. One thread at a time.

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "proto/rpc.pb.h"
#include "server/server.h"

namespace kvorum::api {

// Rows ascending by key, nothing dropped or reordered after the store's limit.
bool IsPlainList(const etcdserverpb::RangeRequest& request);

class ListReader {
 public:
  enum class Form {
    kWhole,
    kPieces,  // one range to the metrics
    kStream,  // in pieces, too, each of which is a range to the metrics, as etcd's messages are
  };

  // A valid request, which is not count_only in pieces. `server` must outlive this.
  ListReader(server::Server* server, etcdserverpb::RangeRequest request, Form form);
  ListReader(const ListReader&) = delete;
  ~ListReader();
  // With what RangeInMemory answered: the only piece.
  ListReader(server::Server* server, etcdserverpb::RangeRequest request,
             server::RangeResult answer);

  // At most `max_rows` rows (in pieces), 1 or more. piece->more: there are rows behind them, be it
  // beyond the request's limit. REQUIRES: !done().
  server::Error Next(int64_t max_rows, server::RangeResult* piece);

  // Nothing is left, or the request's limit is reached.
  bool done() const { return done_; }
  // Once done: what Range says about the list as a whole. Of the header only the revision.
  etcdserverpb::RangeResponse Summary() const;

 private:
  server::Error Read(int64_t max_rows, server::RangeResult* piece);
  server::Error ReadPiece(int64_t max_rows, server::RangeResult* piece);
  void GoOnBehind(const server::RangeResult& piece);
  bool limited() const { return limit_ > 0; }

  server::Server& server_;
  etcdserverpb::RangeRequest request_;  // of the next piece
  const Form form_;
  const int64_t limit_;
  std::optional<server::RangeResult> answer_;
  bool started_ = false;
  bool done_ = false;
  int64_t rows_ = 0;
  int64_t count_ = 0;
  bool more_ = false;
  Revision revision_;
  std::optional<Duration> reading_;  // of all pieces; not set before the first
};

}  // namespace kvorum::api
