// Top-N search in a user's own array, with nothing but threads.
#include <cstdio>
#include <vector>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/top_n.hpp>

int main() {
  const std::vector<float> rows = {1, 0, 0.9F, 0.1F, 0, 1};
  const imgsim::matrix_view<const float> gallery(rows.data(), {3, 2});
  const auto found = imgsim::top_n(imgsim::cpu_context(1), gallery, gallery.slice(0, 1), imgsim::cosine{}, {.n = 2});
  std::printf("%d %d\n", static_cast<int>(found.rows(0, 0)), static_cast<int>(found.rows(0, 1)));
  return found.rows(0, 0) == 0 && found.rows(0, 1) == 1 ? 0 : 1;
}
