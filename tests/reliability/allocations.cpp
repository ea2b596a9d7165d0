// What reads files, with no memory left at each of its allocations in turn: an exception says so, nothing leaks,
// nothing ends the process, and the next call reads what it should. C libraries (libjpeg, libpng, libwebp, HDF5)
// allocate past this; nlohmann::json needs a few hundred bytes to be destroyed, and ends the process without them.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>
#include <string>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/model/model_file.hpp>

#include "cli/trained_folder.hpp"

namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

std::atomic<std::size_t> g_least = 0;         // smaller allocations are neither counted nor refused
std::atomic<std::size_t> g_allocations = 0;   // since they were last counted
std::atomic<std::size_t> g_failing = kNever;  // the one of these that gets nothing
std::atomic<std::ptrdiff_t> g_live = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (size >= g_least && g_allocations++ == g_failing) return nullptr;
  void* const memory = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
  if (memory != nullptr) ++g_live;
  return memory;
}
void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}
void release(void* memory) noexcept {
  if (memory == nullptr) return;
  --g_live;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate_or_throw(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}

BOOST_AUTO_TEST_SUITE(allocations)

namespace {

/// Readers of JSON are spared the smallest.
constexpr std::size_t kWithJson = 1024;

enum class outcome { done, refused, out_of_memory };

/// Calls `work` with allocation `failing` of it getting nothing.
outcome try_work(const std::function<void()>& work, std::size_t failing) {
  g_allocations = 0;
  g_failing = failing;
  outcome result = outcome::done;
  try {
    work();
  } catch (const std::bad_alloc&) {
    result = outcome::out_of_memory;
  } catch (const imgsim::error&) {
    result = outcome::refused;
  }
  g_failing = kNever;
  return result;
}

/// Of allocations of at least `least` bytes.
void exhaust(const char* name, std::size_t least, const std::function<void()>& work) {
  g_least = least;
  BOOST_TEST_REQUIRE((try_work(work, kNever) == outcome::done), name);  // what is made once is made
  BOOST_TEST_REQUIRE((try_work(work, kNever) == outcome::done), name);
  const std::size_t allocations = g_allocations;
  BOOST_TEST(allocations > 0u, name);
  std::size_t unnoticed = 0;
  for (std::size_t failing = 0; failing < allocations; ++failing) {
    const std::ptrdiff_t live = g_live;
    const outcome result = try_work(work, failing);
    if (result == outcome::done) ++unnoticed;
    if (g_live != live) BOOST_ERROR(name << ": " << g_live - live << " blocks leak after allocation " << failing);
    if (result == outcome::refused) BOOST_ERROR(name << ": blames the file at allocation " << failing);
  }
  BOOST_TEST(unnoticed == 0u, name << ": " << unnoticed << " of " << allocations << " failures changed nothing");
  BOOST_TEST((try_work(work, kNever) == outcome::done), name);
  g_least = 0;
  BOOST_TEST_MESSAGE(name << ": " << allocations << " allocations failed in turn");
}

}  // namespace

BOOST_AUTO_TEST_CASE(readers_say_that_there_is_no_memory) {
  const imgsim_test::trained_folder made;
  const imgsim_test::temporary_folder folder;
  exhaust("model", kWithJson, [&] { std::ignore = imgsim::read_model(made.model()); });
  exhaust("index", kWithJson, [&] { std::ignore = imgsim::photo_index::open(made.index()); });
  static_cast<void>(imgsim_test::must_run({"neighbors", "--index", made.index(), "-n", "3"}));
  static_cast<void>(imgsim_test::must_run({"cluster", "--index", made.index(), "-k", "2"}));
  exhaust("neighbours and groups", kWithJson, [&] {
    const auto index = imgsim::photo_index::open(made.index());
    std::ignore = index.neighbours();
    std::ignore = index.groups();
  });
  const imgsim::rgb_image photo = imgsim::read_image(made.photo("red/0.png"));
  exhaust("PNG", 0, [&] { std::ignore = imgsim::read_image(made.photo("red/0.png")); });
  const auto jpeg = folder.path() / "photo.jpg";
  imgsim::write_file(jpeg, imgsim::encode_jpeg(photo.view()));
  exhaust("JPEG", 0, [&] { std::ignore = imgsim::read_image(jpeg); });
  const auto array = folder.path() / "rows.npy";
  imgsim::tensor<float, 2> rows({3, 4});
  imgsim::write_npy(array, rows.view());
  exhaust("array", 0, [&] { std::ignore = imgsim::read_npy<float>(array); });
}

BOOST_AUTO_TEST_SUITE_END()
