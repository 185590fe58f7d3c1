#include "api/http/probes.h"

#include <algorithm>
#include <span>
#include <utility>

#include "api/errors.h"
#include "api/http/read_check.h"
#include "base/go_quote.h"
#include "base/log.h"
#include "base/metrics.h"

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
      error = co_await CheckRead(server, executor, ReadKind::kSerializable, TimePoint::max());
      break;
    case Check::kLinearizableRead:
      error = co_await CheckRead(server, executor, ReadKind::kLinearizable, TimePoint::max());
      break;
  }
  co_return std::string(DescribeError(error).text);
}

// A path and the checks it stands for.
struct Probe {
  std::string type;  // "livez"
  std::string path;
  std::vector<Check> checks;
};

void CountResult(const std::string& type, Check check, bool passed) {
  const metrics::Labels labels = {{"type", type}, {"name", NameOf(check)}};
  metrics::Default()
      .AddGauge("etcd_server_healthcheck", "The result of each kind of healthcheck.", labels)
      .Set(passed ? 1 : 0);
  metrics::Labels with_status = labels;
  with_status["status"] = passed ? "success" : "error";
  metrics::Default()
      .AddCounter("etcd_server_healthchecks_total", "The total number of each kind of healthcheck.",
                  with_status)
      .Add();
}

HttpReply Passed(const std::string& details, bool verbose) {
  HttpReply reply;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = (verbose ? details : "") + "ok\n";
  return reply;
}

Detached RunAll(Probe probe, bool verbose, server::Server* server, Executor* executor,
                HttpRouter::Respond respond) {
  std::string details;
  bool passed = true;
  for (const Check check : probe.checks) {
    const std::string problem = co_await Run(check, *server, *executor);
    CountResult(probe.type, check, problem.empty());
    passed = passed && problem.empty();
    details += problem.empty() ? "[+]" + NameOf(check) + " ok\n"
                               : "[-]" + NameOf(check) + " failed: " + problem + "\n";
  }
  if (passed) {
    LOG_DEBUG("Health check OK", {"path", probe.path}, {"reason", details}, {"status-code", 200});
    respond(Passed(details, verbose));
    co_return;
  }
  LOG_ERROR("Health check error", {"path", probe.path}, {"reason", details}, {"status-code", 503});
  respond(HttpError(503, details));
}

// Names that were to be excluded and are none of the checks, quoted.
std::string Unknown(const std::vector<std::string>& excluded, const std::vector<Check>& all) {
  std::string unknown;
  for (const std::string& name : excluded) {
    const auto has_name = [&](Check check) { return NameOf(check) == name; };
    if (name.empty() || std::any_of(all.begin(), all.end(), has_name)) continue;
    unknown += (unknown.empty() ? "" : ",") + GoQuote(name);
  }
  return unknown;
}

// Takes out what the query excludes.
void Exclude(const std::string& query, std::vector<Check>* checks) {
  const std::vector<std::string> excluded = QueryValues(query, "exclude");
  if (const std::string unknown = Unknown(excluded, *checks); !unknown.empty()) {
    LOG_WARN("some health checks cannot be excluded", {"missing-health-checks", unknown});
  }
  std::erase_if(*checks, [&](Check check) {
    return std::find(excluded.begin(), excluded.end(), NameOf(check)) != excluded.end();
  });
}

// `probe` without what the query excludes, where it stands for all checks of its type.
void Add(HttpRouter* router, const Probe& probe, bool may_exclude, server::Server* server,
         Executor* executor) {
  router->Any(probe.path, [=](const HttpRequest& request, HttpRouter::Respond respond) {
    if (request.method != "GET") {
      LOG_WARN("Health request error", {"path", probe.path}, {"status-code", 405});
      respond(MethodNotAllowed());
      return;
    }
    Probe wanted = probe;
    if (may_exclude) Exclude(request.query, &wanted.checks);
    const bool verbose = !QueryValues(request.query, "verbose").empty();
    RunAll(std::move(wanted), verbose, server, executor, std::move(respond));
  });
}

void AddType(HttpRouter* router, const std::string& type, std::span<const Check> all,
             server::Server* server, Executor* executor) {
  const std::string path = "/" + type;
  Add(router, {.type = type, .path = path, .checks = {all.begin(), all.end()}},
      /*may_exclude=*/true, server, executor);
  for (const Check check : all) {
    Add(router, {.type = type, .path = path + "/" + NameOf(check), .checks = {check}},
        /*may_exclude=*/false, server, executor);
  }
}

}  // namespace

void AddProbes(HttpRouter* router, server::Server* server, Executor* executor) {
  AddType(router, "livez", kLivez, server, executor);
  AddType(router, "readyz", kReadyz, server, executor);
}

}  // namespace kvorum::api
