// Handles and descriptors of the fake libraries: which are alive, and of what kind.
#pragma once

#include <memory>
#include <string>
#include <typeindex>
#include <vector>

namespace imgsim::cuda_host {

/// Keeps `object` until destroy_object() or reset_device(); returns its address, which is the handle. `kind` is its
/// name where it is left behind ("cuDNN tensor descriptor").
void* keep_object(std::shared_ptr<void> object, std::type_index type, const char* kind);

/// The object behind a handle, or null where it is unknown, destroyed, or of another type.
[[nodiscard]] void* find_object(const void* handle, std::type_index type);

/// Whether there was one.
bool destroy_object(const void* handle, std::type_index type);

template <class Object>
[[nodiscard]] void* create_object(const char* kind) {
  return keep_object(std::make_shared<Object>(), typeid(Object), kind);
}
template <class Object>
[[nodiscard]] Object* find_object(const void* handle) {
  return static_cast<Object*>(find_object(handle, typeid(Object)));
}
template <class Object>
bool destroy_object(const void* handle) {
  return destroy_object(handle, typeid(Object));
}

/// See device_state.hpp.
void describe_objects(std::vector<std::string>& sentences);
void reset_objects();

}  // namespace imgsim::cuda_host
