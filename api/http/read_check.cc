#include "api/http/read_check.h"

#include "server/metrics.h"

namespace kvorum::api {
namespace {

using server::Error;

Task<Error> Read(server::Server& server, Executor& executor, ReadKind kind, TimePoint deadline) {
  if (kind == ReadKind::kLinearizable && !server.ReadIndexNow()) {
    WaitFor<server::Waiter> wait(executor);
    co_await wait.Until([&] { server.ReadIndex(deadline, &wait); });
    if (wait.error != Error::kOk) co_return wait.error;
  }
  etcdserverpb::RangeRequest request;  // the empty key: never there, so nothing comes from disk
  request.set_limit(1);
  request.set_keys_only(true);
  server::RangeResult result;
  co_return server.Range(request, &result);
}

}  // namespace

Task<Error> CheckRead(server::Server& server, Executor& executor, ReadKind kind,
                      TimePoint deadline) {
  server::RequestMeter meter(server::Operation::kRange);
  const Error error = co_await Read(server, executor, kind, deadline);
  if (error == Error::kOk) meter.Succeeded();
  co_return error;
}

}  // namespace kvorum::api
