#include "server/stage.h"

#include <pthread.h>

#include <utility>

namespace kvorum::server {

StageThread::StageThread(Stage& stage, std::string name)
    : stage_(stage), thread_([this, name = std::move(name)] { Run(name); }) {}

StageThread::~StageThread() { Stop(); }

void StageThread::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  stage_.Wake();
  thread_.join();
}

void StageThread::Run(const std::string& name) {
  pthread_setname_np(pthread_self(), name.c_str());
  while (!stopping_.load()) stage_.Step(Wait::kYes);
  while (stage_.Step(Wait::kNo)) {
  }
}

}  // namespace kvorum::server
