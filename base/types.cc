#include "base/types.h"

#include "base/strings.h"

namespace kvorum {

std::string HexId(uint64_t id) { return StrCat(absl::Hex(id)); }

}  // namespace kvorum
