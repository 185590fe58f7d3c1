#include "api/http/probes.h"

#include <algorithm>
#include <span>
#include <utility>

#include "api/errors.h"
#include "api/http/read_check.h"
#include "base/log.h"

namespace kvorum::api {
namespace {

using server::Error;

enum class Check { kDataCorruption, kSerializableRead, kLinearizableRead, kNonLearner };

constexpr Check kLivez[] = {Check::kSerializableRead};
constexpr Check kReadyz[] = {Check::kDataCorruption, Check::kSerializableRead,
                             Check::kLinearizableRead, Check::kNonLearner};

std::string NameOf(Check check) {
  switch (check) {
    case Check::kDataCorruption:
      return "data_corruption";
    case Check::kSerializableRead:
      return "serializable_read";
    case Check::kLinearizableRead:
      return "linearizable_read";
    case Check::kNonLearner:
      return "non_learner";
  }
  return "";
}

bool IsCorrupt(server::Server& server) {
  const std::vector<etcdserverpb::AlarmMember> alarms = server.Alarms();
  return std::any_of(alarms.begin(), alarms.end(),
                     [](const auto& alarm) { return alarm.alarm() == etcdserverpb::CORRUPT; });
}

// Empty, or what is wrong.
Task<std::string> Run(Check check, server::Server& server, Executor& executor) {
  Error error = Error::kOk;
  switch (check) {
    case Check::kDataCorruption:
      co_return IsCorrupt(server) ? std::string("alarm activated: CORRUPT") : std::string();
    case Check::kNonLearner:
      co_return server.is_learner() ? std::string("not supported for learner") : std::string();
    case Check::kSerializableRead:
      error = co_await CheckRead(server, executor, true);
      break;
    case Check::kLinearizableRead:
      error = co_await CheckRead(server, executor, false);
      break;
  }
  co_return std::string(DescribeError(error).text);
}

HttpReply Passed(const std::string& details, bool verbose) {
  HttpReply reply;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = (verbose ? details : "") + "ok\n";
  return reply;
}

Detached RunAll(std::vector<Check> checks, std::string path, bool verbose, server::Server* server,
                Executor* executor, HttpRouter::Respond respond) {
  std::string details;
  bool passed = true;
  for (const Check check : checks) {
    const std::string problem = co_await Run(check, *server, *executor);
    passed = passed && problem.empty();
    details += problem.empty() ? "[+]" + NameOf(check) + " ok\n"
                               : "[-]" + NameOf(check) + " failed: " + problem + "\n";
  }
  if (passed) {
    respond(Passed(details, verbose));
    co_return;
  }
  LOG_ERROR("Health check error", {"path", path}, {"reason", details}, {"status-code", 503});
  respond(HttpError(503, details));
}

// What is left of `all` without the checks that the query excludes.
std::vector<Check> Remaining(std::span<const Check> all, const std::string& query) {
  const std::vector<std::string> excluded = QueryValues(query, "exclude");
  std::vector<Check> remaining;
  for (const Check check : all) {
    if (std::find(excluded.begin(), excluded.end(), NameOf(check)) == excluded.end()) {
      remaining.push_back(check);
    }
  }
  return remaining;
}

void AddProbe(HttpRouter* router, const std::string& path, std::span<const Check> all,
              server::Server* server, Executor* executor) {
  router->Get(path, [=](const HttpRequest& request, HttpRouter::Respond respond) {
    const bool verbose = !QueryValues(request.query, "verbose").empty();
    RunAll(Remaining(all, request.query), path, verbose, server, executor, std::move(respond));
  });
  for (const Check& check : all) {
    router->Get(path + "/" + NameOf(check),
                [=](const HttpRequest& request, HttpRouter::Respond respond) {
                  const bool verbose = !QueryValues(request.query, "verbose").empty();
                  RunAll({check}, request.path, verbose, server, executor, std::move(respond));
                });
  }
}

}  // namespace

void AddProbes(HttpRouter* router, server::Server* server, Executor* executor) {
  AddProbe(router, "/livez", kLivez, server, executor);
  AddProbe(router, "/readyz", kReadyz, server, executor);
}

}  // namespace kvorum::api
