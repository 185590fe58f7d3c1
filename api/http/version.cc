#include "api/http/version.h"

namespace kvorum::api {
namespace {

// The fields are version numbers: nothing in them needs escaping.
std::string VersionJson(server::Server& server) {
  const std::string cluster = server.cluster_version();
  const std::string storage = server.status().storage_version;
  return std::string("{\"etcdserver\":\"") + server::kServerVersion + "\",\"etcdcluster\":\"" +
         (cluster.empty() ? "not_decided" : cluster) + "\",\"storage\":\"" +
         (storage.empty() ? "unknown" : storage) + "\"}";
}

}  // namespace

void AddVersion(HttpRouter* router, server::Server* server) {
  router->Get("/version", [server](const HttpRequest&, const HttpRouter::Respond& respond) {
    HttpReply reply;
    reply.headers = {{"Content-Type", "application/json"}};
    reply.body = VersionJson(*server);
    respond(std::move(reply));
  });
}

}  // namespace kvorum::api
