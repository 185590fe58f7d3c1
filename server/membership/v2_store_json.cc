#include "server/membership/v2_store_json.h"

#include "base/strings.h"

namespace kvorum::server {
namespace {

// The reader indexes into the history of events as if it had this many, so it gets as many nulls.
constexpr int kHistoryCapacity = 1000;

// Writes the tree depth first; every node was created at an index of its own.
class TreeWriter {
 public:
  void BeginDirectory(std::string_view path, std::string_view name) {
    BeginNode(path, name);
    out_ += "\"Value\":\"\",\"Children\":{";
    first_child_ = true;
  }
  void EndDirectory() {
    out_ += "}}";
    first_child_ = false;
  }
  void Leaf(std::string_view path, std::string_view name, std::string_view value) {
    BeginNode(path, name);
    StrAppend(&out_, "\"Value\":", GoJsonString(value), ",\"Children\":null}");
    first_child_ = false;
  }
  uint64_t last_index() const { return index_; }
  std::string Take() { return std::move(out_); }

 private:
  void BeginNode(std::string_view path, std::string_view name) {
    if (!first_child_) out_.push_back(',');
    // The root has no name: it is a field of the store.
    if (!name.empty()) StrAppend(&out_, GoJsonString(name), ":");
    StrAppend(&out_, "{\"Path\":", GoJsonString(path), ",\"CreatedIndex\":", index_,
              ",\"ModifiedIndex\":", index_, ",\"ExpireTime\":\"0001-01-01T00:00:00Z\",");
    ++index_;
  }

  std::string out_;
  uint64_t index_ = 0;
  bool first_child_ = true;
};

std::string UrlArray(const std::vector<std::string>& urls) {
  std::string out = "[";
  for (const std::string& url : urls) {
    if (out.size() > 1) out.push_back(',');
    out += GoJsonString(url);
  }
  return out + "]";
}

std::string RaftAttributes(const MemberInfo& member) {
  return StrCat("{\"peerURLs\":", UrlArray(member.peer_urls),
                member.is_learner ? ",\"isLearner\":true}" : "}");
}

std::string Attributes(const MemberInfo& member) {
  const std::string name =
      member.name.empty() ? "" : StrCat("\"name\":", GoJsonString(member.name), ",");
  return StrCat("{", name, "\"clientURLs\":", UrlArray(member.client_urls), "}");
}

void WriteMember(const MemberInfo& member, TreeWriter* tree) {
  const std::string id = HexId(member.id);
  const std::string path = StrCat("/0/members/", id);
  tree->BeginDirectory(path, id);
  if (!member.client_urls.empty()) {
    tree->Leaf(path + "/attributes", "attributes", Attributes(member));
  }
  tree->Leaf(path + "/raftAttributes", "raftAttributes", RaftAttributes(member));
  tree->EndDirectory();
}

void WriteTree(const Membership& membership, TreeWriter* tree) {
  tree->BeginDirectory("/", "");
  tree->BeginDirectory("/0", "0");
  tree->BeginDirectory("/0/members", "members");
  for (const MemberInfo& member : membership.Members()) WriteMember(member, tree);
  tree->EndDirectory();
  tree->BeginDirectory("/0/removed_members", "removed_members");
  for (const MemberId id : membership.Removed()) {
    tree->Leaf(StrCat("/0/removed_members/", HexId(id)), HexId(id), "");
  }
  tree->EndDirectory();
  const std::string version = membership.cluster_version();
  if (!version.empty()) tree->Leaf("/0/version", "version", version);
  tree->EndDirectory();
  tree->BeginDirectory("/1", "1");
  tree->EndDirectory();
  tree->EndDirectory();
}

std::string EmptyHistory() {
  std::string events = "[";
  for (int i = 0; i < kHistoryCapacity; ++i) events += i == 0 ? "null" : ",null";
  return StrCat("{\"EventHistory\":{\"Queue\":{\"Events\":", events,
                "],\"Size\":0,\"Front\":0,\"Back\":0,\"Capacity\":", kHistoryCapacity,
                "},\"StartIndex\":0,\"LastIndex\":0}}");
}

constexpr std::string_view kEmptyStats =
    R"({"getsSuccess":0,"getsFail":0,"setsSuccess":0,"setsFail":0,"deleteSuccess":0,)"
    R"("deleteFail":0,"updateSuccess":0,"updateFail":0,"createSuccess":0,"createFail":0,)"
    R"("compareAndSwapSuccess":0,"compareAndSwapFail":0,"compareAndDeleteSuccess":0,)"
    R"("compareAndDeleteFail":0,"expireCount":0,"watchers":0})";

}  // namespace

std::string V2StoreJson(const Membership& membership) {
  TreeWriter tree;
  WriteTree(membership, &tree);
  const uint64_t index = tree.last_index();
  return StrCat("{\"Root\":", tree.Take(), ",\"WatcherHub\":", EmptyHistory(),
                ",\"CurrentIndex\":", index, ",\"Stats\":", kEmptyStats, ",\"CurrentVersion\":2}");
}

}  // namespace kvorum::server
