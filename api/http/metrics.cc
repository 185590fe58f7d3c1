#include "api/http/metrics.h"

#include <utility>

#include "api/http/gzip.h"
#include "base/metrics.h"
#include "base/process_metrics.h"
#include "server/flags/flags.h"

namespace kvorum::api {
namespace {

constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

metrics::Counter& AnsweredWith(const char* code) {
  return metrics::Default().AddCounter("promhttp_metric_handler_requests_total",
                                       "Total number of scrapes by HTTP status code.",
                                       {{"code", code}});
}

// One thread serves HTTP, so the scrape that prints it is the only one under way.
void CollectOwn(metrics::Samples* samples) {
  samples->AddGauge("promhttp_metric_handler_requests_in_flight",
                    "Current number of scrapes being served.", 1);
  samples->AddGauge(
      "kvorum_build_info", "The version of kvorum. Always 1.", 1,
      {{"version", server::flags::kKvorumVersion}, {"etcd_version", server::kServerVersion}});
}

HttpReply Scrape(const HttpRequest& request, std::span<const metrics::Collector> collectors) {
  HttpReply reply;
  reply.headers = {{"Content-Type", kContentType}};
  reply.body = metrics::Default().Text(collectors);
  const std::string* const encodings = request.Header("Accept-Encoding");
  if (encodings != nullptr && PrefersGzip(*encodings)) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body = Gzip(reply.body);
  }
  return reply;
}

}  // namespace

void AddMetrics(HttpRouter* router, server::Server* server) {
  metrics::Counter& answered = AnsweredWith("200");
  AnsweredWith("500");  // never happens; dashboards expect to see it
  AnsweredWith("503");
  const std::vector<metrics::Collector> collectors = {
      metrics::CollectProcess, CollectOwn,
      [server](metrics::Samples* samples) { server->CollectMetrics(samples); }};
  router->Any("/metrics", [&answered, collectors](const HttpRequest& request,
                                                  const HttpRouter::Respond& respond) {
    respond(Scrape(request, collectors));
    answered.Add();
  });
}

}  // namespace kvorum::api
