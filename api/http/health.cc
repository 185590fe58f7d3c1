#include "api/http/health.h"

#include <algorithm>
#include <utility>

#include "api/errors.h"
#include "api/grpc/task.h"
#include "base/log.h"

namespace kvorum::api {
namespace {

using server::Error;

std::string HealthJson(bool healthy, const std::string& reason) {
  return std::string("{\"health\":\"") + (healthy ? "true" : "false") + "\",\"reason\":\"" +
         reason + "\"}";
}

HttpReply Healthy() {
  HttpReply reply;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  reply.body = HealthJson(true, "");
  return reply;
}

HttpReply Unhealthy(const std::string& reason) {
  const std::string body = HealthJson(false, reason);
  LOG_WARN("/health error", {"output", body}, {"status-code", 503});
  return HttpError(503, body);
}

// The first alarm that the query does not overlook; empty if there is none.
std::string AlarmReason(const std::vector<etcdserverpb::AlarmMember>& alarms,
                        const std::vector<std::string>& excluded) {
  for (const etcdserverpb::AlarmMember& alarm : alarms) {
    const std::string& name = etcdserverpb::AlarmType_Name(alarm.alarm());
    if (std::find(excluded.begin(), excluded.end(), name) != excluded.end()) continue;
    const bool known =
        alarm.alarm() == etcdserverpb::NOSPACE || alarm.alarm() == etcdserverpb::CORRUPT;
    return "ALARM " + (known ? name : "UNKNOWN");
  }
  return "";
}

Error ReadSomething(server::Server& server) {
  etcdserverpb::RangeRequest request;  // the empty key: never there, so nothing is read from disk
  request.set_limit(1);
  request.set_keys_only(true);
  server::RangeResult result;
  return server.Range(request, &result);
}

// Without alarm and, where it matters, with a leader: the read decides.
Detached CheckRead(server::Server* server, Executor* executor, bool serializable,
                   HttpRouter::Respond respond) {
  Error error = Error::kOk;
  if (!serializable && !server->ReadIndexNow()) {
    WaitFor<server::Waiter> wait(*executor);
    const TimePoint deadline =
        std::chrono::steady_clock::now() + server->config().request_timeout();
    co_await wait.Until([&] { server->ReadIndex(deadline, &wait); });
    error = wait.error;
  }
  if (error == Error::kOk) error = ReadSomething(*server);
  if (error == Error::kOk) {
    respond(Healthy());
  } else {
    respond(Unhealthy("RANGE ERROR:" + std::string(DescribeError(error).text)));
  }
}

}  // namespace

void AddHealth(HttpRouter* router, server::Server* server, Executor* executor) {
  router->Get("/health", [server, executor](const HttpRequest& request,
                                            HttpRouter::Respond respond) {
    const std::string alarm = AlarmReason(server->Alarms(), QueryValues(request.query, "exclude"));
    const std::vector<std::string> values = QueryValues(request.query, "serializable");
    const bool serializable = !values.empty() && values.front() == "true";
    if (!alarm.empty()) {
      respond(Unhealthy(alarm));
    } else if (!serializable && !server->has_leader()) {
      respond(Unhealthy("RAFT NO LEADER"));
    } else {
      CheckRead(server, executor, serializable, std::move(respond));
    }
  });
}

}  // namespace kvorum::api
