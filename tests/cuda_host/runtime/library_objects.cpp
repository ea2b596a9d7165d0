#include "cuda_host/runtime/library_objects.hpp"

#include <map>
#include <utility>

namespace imgsim::cuda_host {
namespace {

struct kept_object {
  std::shared_ptr<void> object;
  std::type_index type;
  const char* kind;
};

std::map<const void*, kept_object>& objects() {
  static std::map<const void*, kept_object> instance;
  return instance;
}

}  // namespace

void* keep_object(std::shared_ptr<void> object, std::type_index type, const char* kind) {
  void* const handle = object.get();
  objects().insert_or_assign(handle, kept_object{std::move(object), type, kind});
  return handle;
}

void* find_object(const void* handle, std::type_index type) {
  const auto found = objects().find(handle);
  return found != objects().end() && found->second.type == type ? found->second.object.get() : nullptr;
}

bool destroy_object(const void* handle, std::type_index type) {
  if (find_object(handle, type) == nullptr) return false;
  objects().erase(handle);
  return true;
}

void describe_objects(std::vector<std::string>& sentences) {
  for (const auto& [handle, kept] : objects())
    sentences.push_back(std::string("a ") + kept.kind + " was not destroyed");
}

void reset_objects() {
  objects().clear();
}

}  // namespace imgsim::cuda_host
