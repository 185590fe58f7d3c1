#include "api/http/health.h"

#include <algorithm>
#include <utility>

#include "api/errors.h"
#include "api/http/read_check.h"
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

// Without alarm and, where it matters, with a leader: the read decides.
Detached AnswerByRead(server::Server* server, Executor* executor, bool serializable,
                      HttpRouter::Respond respond) {
  const Error error = co_await CheckRead(*server, *executor, serializable);
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
      AnswerByRead(server, executor, serializable, std::move(respond));
    }
  });
}

}  // namespace kvorum::api
