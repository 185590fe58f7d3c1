#include "server/peer/body_reader.h"

#include <utility>

namespace kvorum::server::peer {

class BodyReader::Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(std::shared_ptr<size_t> held_bytes, std::shared_ptr<HttpExchange> exchange,
          size_t limit_bytes, std::function<void(StatusOr<std::string>)> done)
      : held_bytes_(std::move(held_bytes)),
        exchange_(std::move(exchange)),
        limit_bytes_(limit_bytes),
        done_(std::move(done)) {}
  ~Reading() { *held_bytes_ -= body_.size(); }

  void Next() {
    exchange_->ReadSome(
        [self = shared_from_this()](const StatusOr<std::string>& piece) { self->OnPiece(piece); });
  }

 private:
  void OnPiece(const StatusOr<std::string>& piece) {
    if (!piece.ok()) {
      done_(piece.status());
    } else if (piece->empty()) {
      *held_bytes_ -= body_.size();
      done_(std::exchange(body_, {}));
    } else if (body_.size() + piece->size() > limit_bytes_ ||
               *held_bytes_ + piece->size() > kMaxHeldBodyBytes) {
      done_(absl::ResourceExhaustedError("request body too large"));
    } else {
      body_ += *piece;
      *held_bytes_ += piece->size();
      Next();
    }
  }

  const std::shared_ptr<size_t> held_bytes_;
  const std::shared_ptr<HttpExchange> exchange_;
  const size_t limit_bytes_;
  const std::function<void(StatusOr<std::string>)> done_;
  std::string body_;
};

void BodyReader::Read(std::shared_ptr<HttpExchange> exchange, size_t limit_bytes,
                      std::function<void(StatusOr<std::string>)> done) {
  std::make_shared<Reading>(held_bytes_, std::move(exchange), limit_bytes, std::move(done))->Next();
}

}  // namespace kvorum::server::peer
