#include "tests/testing/fault_env.h"

#include <algorithm>
#include <set>
#include <variant>

#include "base/check.h"
#include "base/strings.h"

namespace kvorum {
namespace {

// Errors in the words and codes of the POSIX environment, so that code under test sees no
// difference.
Status NotFound(std::string_view operation, std::string_view path) {
  return absl::NotFoundError(StrCat(operation, " ", path, ": No such file or directory"));
}
Status NameTaken(std::string_view operation, std::string_view path) {
  return absl::AlreadyExistsError(StrCat(operation, " ", path, ": File exists"));
}
Status Refused(std::string_view operation, std::string_view path, std::string_view why) {
  return absl::InternalError(StrCat(operation, " ", path, ": ", why));
}
Status Crashed() { return absl::InternalError("crashed"); }

constexpr std::string_view kIsADirectory = "Is a directory";
constexpr std::string_view kNotADirectory = "Not a directory";
constexpr std::string_view kNotEmpty = "Directory not empty";
constexpr std::string_view kBadDescriptor = "Bad file descriptor";
constexpr std::string_view kInvalid = "Invalid argument";
constexpr std::string_view kNotPermitted = "Operation not permitted";

// The names on the way from the root, "." and ".." taken out.
std::vector<std::string> Components(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else {
      names.emplace_back(name);
    }
  }
  return names;
}

}  // namespace

struct FaultEnv::Node {
  bool is_directory() const { return std::holds_alternative<Directory>(contents); }
  UnsyncedFile& file() { return std::get<UnsyncedFile>(contents); }
  Directory& directory() { return std::get<Directory>(contents); }
  uint64_t size() { return is_directory() ? 0 : file().size(); }

  std::variant<UnsyncedFile, Directory> contents;
  WallTime modified;
  WallTime modified_durable;
  // The file that holds the lock, if it was taken in this epoch.
  const OpenFile* lock_owner = nullptr;
  uint64_t lock_epoch = 0;
};

// --- Files ---

class FaultEnv::OpenFile : public File {
 public:
  OpenFile(FaultEnv* env, std::string path, std::shared_ptr<Node> node, bool writable,
           uint64_t epoch)
      : env_(env),
        path_(std::move(path)),
        node_(std::move(node)),
        writable_(writable),
        epoch_(epoch) {}
  ~OpenFile() override {
    absl::MutexLock lock(&env_->mutex_);
    ReleaseLock();
  }

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kRead, "read"));
    return node_->file().Read(offset, out);
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    absl::MutexLock lock(&env_->mutex_);
    bool half_written = false;
    Status entered = Enter(Op::kWrite, "write", &half_written);
    if (half_written) bytes = bytes.substr(0, bytes.size() / 2);
    if (!entered.ok() && !half_written) return entered;
    node_->file().Write(offset, bytes);
    node_->modified = env_->clock_.WallNow();
    return entered;
  }

  // One call and one change, so that a tear may go through any of the pieces.
  Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) override {
    std::string joined;
    for (const std::string_view piece : pieces) joined.append(piece);
    return WriteAt(offset, std::string_view(joined));
  }

  StatusOr<uint64_t> Size() override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kInspect, "stat"));
    return node_->file().size();
  }

  Status Truncate(uint64_t size) override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kWrite, "truncate"));
    Resize(size);
    return absl::OkStatus();
  }

  Status Preallocate(uint64_t size) override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kWrite, "fallocate"));
    if (size > node_->file().size()) Resize(size);
    return absl::OkStatus();
  }

  Status SyncData() override { return SyncAs("fdatasync"); }
  Status Sync() override { return SyncAs("fsync"); }

  Status TryLock() override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kInspect, "lock"));
    if (!writable_) return Refused("lock", path_, kBadDescriptor);
    const bool locked = node_->lock_owner != nullptr && node_->lock_epoch == env_->epoch_;
    if (locked && node_->lock_owner != this) {
      return absl::FailedPreconditionError("fileutil: file already locked");
    }
    node_->lock_owner = this;
    node_->lock_epoch = epoch_;
    return absl::OkStatus();
  }

  Status Unlock() override {
    absl::MutexLock lock(&env_->mutex_);
    RETURN_IF_ERROR(Enter(Op::kInspect, "lock"));
    ReleaseLock();
    return absl::OkStatus();
  }

  // Works on a dead file, too: a program that crashed for the test still cleans up.
  Status Close() override {
    absl::MutexLock lock(&env_->mutex_);
    ReleaseLock();
    if (std::exchange(closed_, true)) return Refused("close", path_, kBadDescriptor);
    return absl::OkStatus();
  }

 private:
  Status Enter(Op op, std::string_view operation, bool* half_written = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(env_->mutex_) {
    if (epoch_ != env_->epoch_) return Crashed();
    if (closed_ || (op == Op::kWrite && !writable_)) {
      return Refused(operation, path_, kBadDescriptor);
    }
    return env_->Enter(op, path_, half_written);
  }

  void Resize(uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(env_->mutex_) {
    node_->file().Resize(size);
    node_->modified = env_->clock_.WallNow();
  }

  Status SyncAs(std::string_view operation) {
    absl::MutexLock lock(&env_->mutex_);
    Status entered = Enter(Op::kSync, operation);
    if (epoch_ != env_->epoch_ || closed_ || !env_->powered_) return entered;
    if (!entered.ok()) {
      node_->file().FailSync();
    } else if (!env_->sync_is_noop_) {
      node_->file().Sync();
      node_->modified_durable = node_->modified;
    }
    return entered;
  }

  void ReleaseLock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(env_->mutex_) {
    if (node_->lock_owner == this) node_->lock_owner = nullptr;
  }

  FaultEnv* const env_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
  const bool writable_;
  const uint64_t epoch_;
  bool closed_ ABSL_GUARDED_BY(env_->mutex_) = false;
};

FaultEnv::FaultEnv(const Clock& clock)
    : clock_(clock), root_(std::make_shared<Node>(Node{.contents = Directory()})) {}

FaultEnv::~FaultEnv() = default;

// --- Crashes ---

void FaultEnv::PowerOff() {
  absl::MutexLock lock(&mutex_);
  powered_ = false;
}

void FaultEnv::PowerOn(const CrashOptions& options) {
  absl::MutexLock lock(&mutex_);
  CHECK(!powered_) << "PowerOn without PowerOff";
  const std::unique_ptr<Random> random = NewSeededRandom(options.seed);
  // From the root, each directory before what its durable entries lead to; hard links once only.
  // What is not met on the way has no name any more.
  std::set<Node*> met = {root_.get()};
  std::vector<Node*> waiting = {root_.get()};
  while (!waiting.empty()) {
    Node* const node = waiting.back();
    waiting.pop_back();
    node->modified = node->modified_durable;
    if (!node->is_directory()) {
      node->file().LosePower(options.files, random.get());
      continue;
    }
    node->directory().LosePower(options.names, random.get());
    for (const auto& [name, entry] : node->directory().current()) {
      if (met.insert(entry.get()).second) waiting.push_back(entry.get());
    }
  }
  ++epoch_;
  faults_.clear();
  powered_ = true;
}

void FaultEnv::KillProcess() {
  absl::MutexLock lock(&mutex_);
  ++epoch_;
}

void FaultEnv::SyncEverything() {
  absl::MutexLock lock(&mutex_);
  SyncTree(root_.get());
}

void FaultEnv::SyncTree(Node* node) {
  node->modified_durable = node->modified;
  if (!node->is_directory()) {
    node->file().Sync();
    return;
  }
  node->directory().Sync();
  for (const auto& [name, entry] : node->directory().current()) SyncTree(entry.get());
}

// --- Faults ---

void FaultEnv::Inject(Fault fault) {
  CHECK(!fault.status.ok());
  CHECK_GT(fault.nth, 0);
  absl::MutexLock lock(&mutex_);
  faults_.push_back({.fault = std::move(fault)});
}

void FaultEnv::FailNthCall(Op op, int64_t n, Status status) {
  Inject({.op = op, .nth = n, .status = std::move(status)});
}

void FaultEnv::FailFromNthCall(Op op, int64_t n, Status status) {
  Inject({.op = op, .nth = n, .and_all_after = true, .status = std::move(status)});
}

void FaultEnv::ClearFaults() {
  absl::MutexLock lock(&mutex_);
  faults_.clear();
}

void FaultEnv::SetSyncIsNoop(bool noop) {
  absl::MutexLock lock(&mutex_);
  sync_is_noop_ = noop;
}

void FaultEnv::SetFreeBytes(uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  free_bytes_ = bytes;
}

Status FaultEnv::Enter(Op op, std::string_view path, bool* half_written) {
  if (!powered_) return Crashed();
  ++calls_[static_cast<size_t>(op)];
  const bool counts_as_any = op != Op::kRead && op != Op::kInspect;
  Status status;
  for (ArmedFault& armed : faults_) {
    const Fault& fault = armed.fault;
    if (fault.op != op && !(fault.op == Op::kAny && counts_as_any)) continue;
    if (path.find(fault.path_part) == std::string_view::npos) continue;
    const int64_t n = ++armed.matching_calls;
    if (n < fault.nth || (n > fault.nth && !fault.and_all_after) || !status.ok()) continue;
    status = fault.status;
    if (half_written != nullptr) *half_written = fault.half_written;
  }
  return status;
}

// --- Observation ---

int64_t FaultEnv::Calls(Op op) const {
  absl::MutexLock lock(&mutex_);
  if (op != Op::kAny) return calls_[static_cast<size_t>(op)];
  int64_t sum = 0;
  for (const int64_t calls : calls_) sum += calls;
  return sum - calls_[static_cast<size_t>(Op::kRead)] - calls_[static_cast<size_t>(Op::kInspect)];
}

uint64_t FaultEnv::AllocatedBytes() const {
  absl::MutexLock lock(&mutex_);
  uint64_t bytes = 0;
  std::set<Node*> met = {root_.get()};
  std::vector<Node*> waiting = {root_.get()};
  while (!waiting.empty()) {
    Node* const node = waiting.back();
    waiting.pop_back();
    if (!node->is_directory()) {
      bytes += node->file().allocated_bytes();
      continue;
    }
    for (const auto* entries : {&node->directory().current(), &node->directory().durable()}) {
      for (const auto& [name, entry] : *entries) {
        if (met.insert(entry.get()).second) waiting.push_back(entry.get());
      }
    }
  }
  return bytes;
}

StatusOr<std::string> FaultEnv::DurableContents(const std::string& path) const {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Node> node = root_;
  for (const std::string& name : Components(path)) {
    if (!node->is_directory()) return NotFound("open", path);
    const auto& entries = node->directory().durable();
    const auto it = entries.find(name);
    if (it == entries.end()) return NotFound("open", path);
    node = it->second;
  }
  if (node->is_directory()) return Refused("open", path, kIsADirectory);
  return node->file().DurableContents();
}

// --- Env ---

StatusOr<FaultEnv::Place> FaultEnv::Resolve(std::string_view operation,
                                            const std::string& path) const {
  Place place{.parent = nullptr, .name = "", .node = root_};
  for (std::string& name : Components(path)) {
    if (place.node == nullptr) return NotFound(operation, path);
    if (!place.node->is_directory()) return Refused(operation, path, kNotADirectory);
    place.parent = std::move(place.node);
    place.node = place.parent->directory().Find(name);
    place.name = std::move(name);
  }
  return place;
}

StatusOr<FaultEnv::Place> FaultEnv::ResolveExisting(std::string_view operation,
                                                    const std::string& path) const {
  ASSIGN_OR_RETURN(Place place, Resolve(operation, path));
  if (place.node == nullptr) return NotFound(operation, path);
  return place;
}

void FaultEnv::ApplyChange(Node* directory, Directory::Change change) {
  directory->directory().Apply(std::move(change));
  directory->modified = clock_.WallNow();
}

StatusOr<std::unique_ptr<File>> FaultEnv::Open(const std::string& path, OpenMode mode,
                                               uint32_t /*permissions*/) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kOpen, path));
  ASSIGN_OR_RETURN(Place place, Resolve("open", path));
  if (place.node == nullptr) {
    if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) return NotFound("open", path);
    place.node =
        std::make_shared<Node>(Node{.contents = UnsyncedFile(), .modified = clock_.WallNow()});
    ApplyChange(place.parent.get(), {{place.name, place.node}});
  } else if (mode == OpenMode::kCreateNew) {
    return NameTaken("open", path);
  }
  if (place.node->is_directory()) return Refused("open", path, kIsADirectory);
  if (mode == OpenMode::kTruncate && place.node->size() > 0) {
    place.node->file().Resize(0);
    place.node->modified = clock_.WallNow();
  }
  return std::make_unique<OpenFile>(this, path, place.node, mode != OpenMode::kRead, epoch_);
}

StatusOr<std::vector<std::string>> FaultEnv::List(const std::string& dir) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kInspect, dir));
  ASSIGN_OR_RETURN(const Place place, ResolveExisting("open", dir));
  if (!place.node->is_directory()) return Refused("open", dir, kNotADirectory);
  std::vector<std::string> names;
  for (const auto& [name, entry] : place.node->directory().current()) names.push_back(name);
  return names;
}

StatusOr<FileInfo> FaultEnv::Stat(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kInspect, path));
  ASSIGN_OR_RETURN(const Place place, ResolveExisting("stat", path));
  return FileInfo{.size = place.node->size(),
                  .modified = place.node->modified,
                  .is_directory = place.node->is_directory()};
}

Status FaultEnv::CreateDir(const std::string& dir, uint32_t /*permissions*/) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kCreateDir, dir));
  ASSIGN_OR_RETURN(const Place place, Resolve("mkdir", dir));
  if (place.node != nullptr) return NameTaken("mkdir", dir);
  const WallTime now = clock_.WallNow();
  ApplyChange(
      place.parent.get(),
      {{place.name, std::make_shared<Node>(
                        Node{.contents = Directory(), .modified = now, .modified_durable = now})}});
  return absl::OkStatus();
}

Status FaultEnv::CheckRename(const Place& from, const Place& to, const std::string& path) const {
  if (from.parent == nullptr || to.parent == nullptr) return Refused("rename", path, kInvalid);
  if (from.node->is_directory()) {
    // Not below itself: look for it on the way down to the target's parent.
    std::vector<Node*> below = {from.node.get()};
    while (!below.empty()) {
      Node* const node = below.back();
      below.pop_back();
      if (node == to.parent.get()) return Refused("rename", path, kInvalid);
      if (!node->is_directory()) continue;
      for (const auto& [name, entry] : node->directory().current()) below.push_back(entry.get());
    }
  }
  if (to.node == nullptr) return absl::OkStatus();
  if (from.node->is_directory() && !to.node->is_directory()) {
    return Refused("rename", path, kNotADirectory);
  }
  if (!from.node->is_directory() && to.node->is_directory()) {
    return Refused("rename", path, kIsADirectory);
  }
  if (to.node->is_directory() && !to.node->directory().current().empty()) {
    return Refused("rename", path, kNotEmpty);
  }
  return absl::OkStatus();
}

Status FaultEnv::Rename(const std::string& from, const std::string& to) {
  absl::MutexLock lock(&mutex_);
  const std::string path = StrCat(from, " ", to);
  RETURN_IF_ERROR(Enter(Op::kRename, path));
  ASSIGN_OR_RETURN(const Place source, ResolveExisting("rename", from));
  ASSIGN_OR_RETURN(const Place target, Resolve("rename", to));
  if (source.node == target.node) return absl::OkStatus();  // two names of one file: both stay
  RETURN_IF_ERROR(CheckRename(source, target, path));
  if (source.parent == target.parent) {
    ApplyChange(source.parent.get(), {{source.name, nullptr}, {target.name, source.node}});
  } else {
    ApplyChange(target.parent.get(), {{target.name, source.node}});
    ApplyChange(source.parent.get(), {{source.name, nullptr}});
  }
  return absl::OkStatus();
}

Status FaultEnv::Link(const std::string& from, const std::string& to) {
  absl::MutexLock lock(&mutex_);
  const std::string path = StrCat(from, " ", to);
  RETURN_IF_ERROR(Enter(Op::kRename, path));
  ASSIGN_OR_RETURN(const Place source, ResolveExisting("link", from));
  ASSIGN_OR_RETURN(const Place target, Resolve("link", to));
  if (target.node != nullptr) return NameTaken("link", path);
  if (source.node->is_directory()) return Refused("link", path, kNotPermitted);
  ApplyChange(target.parent.get(), {{target.name, source.node}});
  return absl::OkStatus();
}

Status FaultEnv::RemoveFile(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kRemove, path));
  ASSIGN_OR_RETURN(const Place place, ResolveExisting("remove", path));
  if (place.node->is_directory()) return Refused("remove", path, kIsADirectory);
  ApplyChange(place.parent.get(), {{place.name, nullptr}});
  return absl::OkStatus();
}

Status FaultEnv::RemoveDir(const std::string& dir) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Enter(Op::kRemove, dir));
  ASSIGN_OR_RETURN(const Place place, ResolveExisting("remove", dir));
  if (!place.node->is_directory()) return Refused("remove", dir, kNotADirectory);
  if (!place.node->directory().current().empty()) return Refused("remove", dir, kNotEmpty);
  if (place.parent == nullptr) return Refused("remove", dir, kInvalid);
  ApplyChange(place.parent.get(), {{place.name, nullptr}});
  return absl::OkStatus();
}

Status FaultEnv::SyncDir(const std::string& dir) {
  absl::MutexLock lock(&mutex_);
  if (!powered_) return Crashed();
  Status entered = Enter(Op::kSyncDir, dir);
  ASSIGN_OR_RETURN(const Place place, ResolveExisting("open", dir));
  if (!place.node->is_directory()) return Refused("open", dir, kNotADirectory);
  if (!entered.ok()) {
    place.node->directory().FailSync();
  } else if (!sync_is_noop_) {
    place.node->directory().Sync();
    place.node->modified_durable = place.node->modified;
  }
  return entered;
}

StatusOr<uint64_t> FaultEnv::FreeBytes(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  if (!powered_) return Crashed();
  RETURN_IF_ERROR(Enter(Op::kInspect, path));
  RETURN_IF_ERROR(ResolveExisting("statvfs", path).status());
  return free_bytes_;
}

}  // namespace kvorum
