#include "base/status.h"

#include <absl/strings/cord.h>

#include "base/strings.h"

namespace kvorum {

Status WithContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  Status wrapped(status.code(), StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    wrapped.SetPayload(type_url, payload);
  });
  return wrapped;
}

}  // namespace kvorum
