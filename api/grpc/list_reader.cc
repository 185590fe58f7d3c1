#include "api/grpc/list_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "mvcc/key_value_view.h"
#include "server/metrics.h"

namespace kvorum::api {

using etcdserverpb::RangeRequest;
using server::Error;

bool IsPlainList(const RangeRequest& request) {
  const bool by_key = request.sort_target() == RangeRequest::KEY;
  return !request.count_only() && by_key && request.sort_order() != RangeRequest::DESCEND &&
         request.min_mod_revision() == 0 && request.max_mod_revision() == 0 &&
         request.min_create_revision() == 0 && request.max_create_revision() == 0;
}

ListReader::ListReader(server::Server* server, RangeRequest request, Form form)
    : server_(*server),
      request_(std::move(request)),
      form_(form),
      limit_(std::max<int64_t>(request_.limit(), 0)) {}

ListReader::ListReader(server::Server* server, RangeRequest request, server::RangeResult answer)
    : ListReader(server, std::move(request), Form::kWhole) {
  answer_ = std::move(answer);
}

ListReader::~ListReader() {
  if (form_ == Form::kPieces && reading_) server::CountRange(done_, *reading_);
  // In etcd the count of a stream that ends at its limit is a range, too.
  if (form_ == Form::kStream && done_ && more_) server::CountRange(true, Duration(0));
}

Error ListReader::Next(int64_t max_rows, server::RangeResult* piece) {
  CHECK(!done_) << "read beyond the end of a list";
  if (const Error error = Read(max_rows, piece); error != Error::kOk) return error;
  if (!std::exchange(started_, true)) {
    revision_ = piece->revision;
    count_ = piece->count;
  }
  rows_ += static_cast<int64_t>(piece->kvs.size());
  more_ = piece->more;
  done_ = form_ == Form::kWhole || !more_ || (limited() && rows_ == limit_);
  if (!done_) GoOnBehind(*piece);
  return Error::kOk;
}

// The count of a list that is cut by its limit comes with the first piece, where it is cheapest; of
// one that is read to its end it is known then.
Error ListReader::Read(int64_t max_rows, server::RangeResult* piece) {
  if (answer_) {
    *piece = *std::exchange(answer_, std::nullopt);
    return Error::kOk;
  }
  if (form_ == Form::kWhole) return server_.Range(request_, piece);
  const TimePoint begin = SystemClock().Now();
  const Error error = ReadPiece(max_rows, piece);
  const Duration took = SystemClock().Now() - begin;
  reading_ = reading_.value_or(Duration(0)) + took;
  if (form_ == Form::kStream) server::CountRange(error == Error::kOk, took);
  return error;
}

Error ListReader::ReadPiece(int64_t max_rows, server::RangeResult* piece) {
  const int64_t left = limited() ? limit_ - rows_ : std::numeric_limits<int64_t>::max();
  request_.set_limit(std::min(max_rows, left));
  return server_.RangePiece(request_, limited() && !started_, piece);
}

void ListReader::GoOnBehind(const server::RangeResult& piece) {
  const auto last = mvcc::KeyValueView::Parse(piece.kvs.back().bytes.view());
  CHECK(last.has_value()) << "a row of the store is no KeyValue";
  request_.set_key(std::string(last->key) + '\0');
  if (request_.revision() <= 0) request_.set_revision(revision_.value());
}

etcdserverpb::RangeResponse ListReader::Summary() const {
  etcdserverpb::RangeResponse summary;
  summary.mutable_header()->set_revision(revision_.value());
  summary.set_more(more_);
  summary.set_count(form_ == Form::kWhole || limited() ? count_ : rows_);
  return summary;
}

}  // namespace kvorum::api
