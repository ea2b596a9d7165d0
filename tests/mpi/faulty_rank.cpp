// Put before the C library of one rank by LD_PRELOAD, for what goes wrong on that rank alone:
//   IMGSIM_TEST_BLIND=FOLDER    no file below the folder can be opened, as on a machine that does not have it
//   IMGSIM_TEST_REFUSED=BYTES   there is no memory for a tensor of so many bytes
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>

extern "C" int open(const char* file, int oflag, ...) {  // named as in fcntl.h
  va_list more;
  va_start(more, oflag);
  const mode_t mode = (oflag & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  const char* const blind = std::getenv("IMGSIM_TEST_BLIND");
  if (blind != nullptr && std::string_view(file).starts_with(blind)) {
    errno = ENOENT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, oflag, mode));
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const char* const refused = std::getenv("IMGSIM_TEST_REFUSED");
  if (refused != nullptr && std::strtoull(refused, nullptr, 10) == bytes) throw std::bad_alloc();
  const auto step = static_cast<std::size_t>(alignment);
  void* const memory = std::aligned_alloc(step, (bytes + step - 1) / step * step);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
