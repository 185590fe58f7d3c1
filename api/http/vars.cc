#include "api/http/vars.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace kvorum::api {
namespace {

using Json = nlohmann::ordered_json;

// Arguments may be any bytes.
std::string Print(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments = absl::StrSplit(all, '\0');
  if (!arguments.empty() && arguments.back().empty()) arguments.pop_back();  // each ends in a zero
  return arguments;
}

uint64_t DescriptorLimit() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// What the process has of the machine's memory.
Json Memory() {
  std::ifstream file("/proc/self/statm");
  uint64_t virtual_pages = 0;
  uint64_t resident_pages = 0;
  file >> virtual_pages >> resident_pages;
  return {{"Sys", resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE))}};
}

std::string Hex(MemberId id) { return absl::StrCat(absl::Hex(id.value())); }

Json RaftStatus(server::Server& server) {
  const server::ServerStatus status = server.status();
  const bool leads = status.leader == server.member_id();
  return {{"id", Hex(server.member_id())},
          {"term", status.raft_term.value()},
          {"commit", status.raft_index.value()},
          {"lead", Hex(status.leader)},
          {"raftState", leads ? "StateLeader" : "StateFollower"},
          {"applied", status.raft_applied_index.value()}};
}

std::string VarsJson(server::Server& server) {
  const std::map<std::string, Json> variables = {
      {"cmdline", CommandLine()},
      {"file_descriptor_limit", DescriptorLimit()},
      {"memstats", Memory()},
      {"raft.status", RaftStatus(server)},
  };
  std::string text;
  for (const auto& [name, value] : variables) {
    text += text.empty() ? "{\n" : ",\n";
    text += '"' + name + "\": " + Print(value);
  }
  return text + "\n}\n";
}

}  // namespace

void AddVars(HttpRouter* router, server::Server* server) {
  router->Get("/debug/vars", [server](const HttpRequest&, const HttpRouter::Respond& respond) {
    HttpReply reply;
    reply.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    reply.body = VarsJson(*server);
    respond(std::move(reply));
  });
}

}  // namespace kvorum::api
