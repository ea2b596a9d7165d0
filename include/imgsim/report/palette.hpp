// The colours of imgsim's pictures: dark ink on a clean, light ground.
#pragma once

#include <imgsim/report/canvas.hpp>

namespace imgsim::palette {

inline constexpr colour kPaper{250, 250, 252};
inline constexpr colour kCard{255, 255, 255};
inline constexpr colour kLine{220, 222, 230};
inline constexpr colour kInk{28, 30, 38};
inline constexpr colour kMuted{98, 102, 116};
inline constexpr colour kAccent{37, 99, 205};
inline constexpr colour kMedoid{214, 118, 16};

}  // namespace imgsim::palette
