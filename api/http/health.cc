#include "api/http/health.h"

#include <algorithm>
#include <utility>

#include "api/errors.h"
#include "api/http/read_check.h"
#include "base/log.h"
#include "base/metrics.h"

namespace kvorum::api {
namespace {

using server::Error;

metrics::Counter& successes = metrics::Default().AddCounter(
    "etcd_server_health_success", "The total number of successful health checks");
metrics::Counter& failures = metrics::Default().AddCounter(
    "etcd_server_health_failures", "The total number of failed health checks");

std::string HealthJson(bool healthy, const std::string& reason) {
  return std::string("{\"health\":\"") + (healthy ? "true" : "false") + "\",\"reason\":\"" +
         reason + "\"}";
}

HttpReply Healthy() {
  successes.Add();
  LOG_DEBUG("/health OK", {"status-code", 200});
  HttpReply reply;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  reply.body = HealthJson(true, "");
  return reply;
}

HttpReply Unhealthy(const std::string& reason) {
  failures.Add();
  const std::string body = HealthJson(false, reason);
  LOG_WARN("/health error", {"output", body}, {"status-code", 503});
  return HttpError(503, body);
}

// As protobuf's Go package prints the message on one line.
std::string TextOf(const etcdserverpb::AlarmMember& alarm) {
  return "memberID:" + std::to_string(alarm.memberid()) +
         " alarm:" + etcdserverpb::AlarmType_Name(alarm.alarm());
}

// The first alarm that the query does not overlook; empty if there is none.
std::string AlarmReason(const std::vector<etcdserverpb::AlarmMember>& alarms,
                        const std::vector<std::string>& excluded) {
  for (const etcdserverpb::AlarmMember& alarm : alarms) {
    const std::string& name = etcdserverpb::AlarmType_Name(alarm.alarm());
    if (std::find(excluded.begin(), excluded.end(), name) != excluded.end()) {
      LOG_DEBUG("/health excluded alarm", {"alarm", TextOf(alarm)});
      continue;
    }
    LOG_WARN("serving /health false due to an alarm", {"alarm", TextOf(alarm)});
    const bool known =
        alarm.alarm() == etcdserverpb::NOSPACE || alarm.alarm() == etcdserverpb::CORRUPT;
    return "ALARM " + (known ? name : "UNKNOWN");
  }
  return "";
}

// Without alarm and, where it matters, with a leader: the read decides.
Detached AnswerByRead(server::Server* server, Executor* executor, ReadKind kind,
                      HttpRouter::Respond respond) {
  const TimePoint deadline = std::chrono::steady_clock::now() + server->config().request_timeout();
  const Error error = co_await CheckRead(*server, *executor, kind, deadline);
  if (error == Error::kOk) {
    LOG_DEBUG("serving /health true");
    respond(Healthy());
  } else {
    const std::string text(DescribeError(error).text);
    LOG_WARN("serving /health false; Range fails", {"error", text});
    respond(Unhealthy("RANGE ERROR:" + text));
  }
}

void Answer(server::Server* server, Executor* executor, const HttpRequest& request,
            HttpRouter::Respond respond) {
  const std::string alarm = AlarmReason(server->Alarms(), QueryValues(request.query, "exclude"));
  const std::vector<std::string> values = QueryValues(request.query, "serializable");
  const bool serializable = !values.empty() && values.front() == "true";
  if (!alarm.empty()) {
    respond(Unhealthy(alarm));
  } else if (!serializable && !server->has_leader()) {
    LOG_WARN("serving /health false; no leader");
    respond(Unhealthy("RAFT NO LEADER"));
  } else {
    AnswerByRead(server, executor, serializable ? ReadKind::kSerializable : ReadKind::kLinearizable,
                 std::move(respond));
  }
}

}  // namespace

void AddHealth(HttpRouter* router, server::Server* server, Executor* executor) {
  router->Any("/health",
              [server, executor](const HttpRequest& request, HttpRouter::Respond respond) {
                if (request.method == "GET") {
                  Answer(server, executor, request, std::move(respond));
                  return;
                }
                LOG_WARN("/health error", {"status-code", 405});
                respond(MethodNotAllowed());
              });
}

}  // namespace kvorum::api
