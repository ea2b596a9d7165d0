// The letters of imgsim's pictures: a stroke font, drawn for this project, of the printable ASCII characters.
//
// A glyph is a path on a grid where capitals are 20 high, small letters 14, and descenders reach -6; y grows upwards
// from the baseline. "M x y" moves the pen, "L x y" draws a line, "A cx cy rx ry from to" an elliptic arc between two
// angles in degrees (counter-clockwise from the right). A line of no length is a dot.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace imgsim {

struct glyph {
  double width;  // of the strokes' middle lines; the pen adds its own
  std::string_view path;
};

inline constexpr double kFontEm = 28;         // grid units from the top of "(" to the foot of "g"
inline constexpr double kFontCapHeight = 20;  // grid units
inline constexpr double kFontDescent = 6;     // grid units
inline constexpr double kFontSpacing = 5;     // grid units between the strokes of neighbours

namespace detail {

// From ' ' (32) to '~' (126). Digits share one width, so that numbers line up.
inline constexpr std::array<glyph, 95> kAsciiGlyphs{{
    {4, ""},                                                                                                  // space
    {0, "M 0 20 L 0 6.5 M 0 0.4 L 0 0.4"},                                                                    // !
    {4.5, "M 0 20 L 0 14.5 M 4.5 20 L 4.5 14.5"},                                                             // "
    {13, "M 4 20 L 2 0 M 11 20 L 9 0 M 0.5 13.5 L 13 13.5 M 0 6.5 L 12.5 6.5"},                               // #
    {11.5, "A 5.8 15.1 5 4.9 30 270 A 5.8 5.1 5.6 5.1 90 -150 M 5.8 23 L 5.8 -3"},                            // $
    {17, "A 4 15.5 3.6 4.5 0 360 A 13 4.5 3.6 4.5 0 360 M 14 20 L 3 0"},                                      // %
    {14, "M 14 0 L 3.5 13.2 A 6 16 3.6 4 225 -45 L 1.9 8.8 A 5.4 5 5.4 5 130 345 L 13.5 10"},                 // &
    {0, "M 0 20 L 0 14.5"},                                                                                   // '
    {4, "A 8.5 8 8 14.5 125 235"},                                                                            // (
    {4, "A -4 8 8 14.5 55 -55"},                                                                              // )
    {8, "M 4 19.5 L 4 10.5 M 0 17.2 L 8 12.8 M 8 17.2 L 0 12.8"},                                             // *
    {11, "M 5.5 15 L 5.5 4 M 0 9.5 L 11 9.5"},                                                                // +
    {1.2, "M 1.2 0.6 L 0 -4"},                                                                                // ,
    {6, "M 0 8 L 6 8"},                                                                                       // -
    {0, "M 0 0.4 L 0 0.4"},                                                                                   // .
    {8, "M 0 -2 L 8 21"},                                                                                     // /
    {11, "A 5.5 10 5.5 10 0 360"},                                                                            // 0
    {11, "M 1.5 15.5 L 6 20 L 6 0"},                                                                          // 1
    {11, "A 5.5 14.6 5.2 5.4 165 -38 L 0.3 0 L 11 0"},                                                        // 2
    {11, "A 5.3 15.1 4.8 4.9 150 -90 A 5.3 5.1 5.4 5.1 90 -150"},                                             // 3
    {11, "M 8.5 0 L 8.5 20 L 0 5.5 L 11.3 5.5"},                                                              // 4
    {11, "M 10 20 L 1.8 20 L 1 10.5 A 5.3 6.4 5.6 6.4 140 -145"},                                             // 5
    {11, "A 5.6 6.2 5.4 6.2 0 360 A 10 8 9.8 12 188 102"},                                                    // 6
    {11, "M 0 20 L 11 20 L 4 0"},                                                                             // 7
    {11, "A 5.5 15.2 4.7 4.8 0 360 A 5.5 5.2 5.5 5.2 0 360"},                                                 // 8
    {11, "A 5.4 13.8 5.4 6.2 0 360 A 1 12 9.8 12 8 -78"},                                                     // 9
    {0, "M 0 0.4 L 0 0.4 M 0 11 L 0 11"},                                                                     // :
    {1.2, "M 1.2 0.6 L 0 -4 M 1 11 L 1 11"},                                                                  // ;
    {10, "M 10 16 L 0 9.5 L 10 3"},                                                                           // <
    {11, "M 0 12.5 L 11 12.5 M 0 6.5 L 11 6.5"},                                                              // =
    {10, "M 0 16 L 10 9.5 L 0 3"},                                                                            // >
    {9, "A 4.5 15.2 4.5 4.8 165 -50 L 4.5 8.5 L 4.5 6 M 4.5 0.4 L 4.5 0.4"},                                  // ?
    {19, "A 9.5 8 9.5 11 0 300 A 9.5 8 4.2 5 0 360 M 13.7 13 L 13.7 5.5 A 16.35 5.5 2.65 3 180 360 L 19 8"},  // @
    {14, "M 0 0 L 7 20 L 14 0 M 2.4 6.5 L 11.6 6.5"},                                                         // A
    {12, "M 0 0 L 0 20 L 6.5 20 A 6.5 15.2 4.8 4.8 90 -90 L 0 10.4 M 6.5 10.4 A 6.8 5.2 5.2 5.2 90 -90 L 0 0"},  // B
    {14, "A 8 10 8 10 45 315"},                                                                                  // C
    {14, "M 0 0 L 0 20 L 5 20 A 5 10 9 10 90 -90 L 0 0"},                                                        // D
    {11, "M 11 20 L 0 20 L 0 0 L 11 0 M 0 10.4 L 9.5 10.4"},                                                     // E
    {10.5, "M 10.5 20 L 0 20 L 0 0 M 0 10 L 9 10"},                                                              // F
    {14.5, "A 8 10 8 10 45 324 M 9 9.5 L 14.5 9.5 L 14.5 4.1"},                                                  // G
    {13, "M 0 0 L 0 20 M 13 0 L 13 20 M 0 10.3 L 13 10.3"},                                                      // H
    {0, "M 0 0 L 0 20"},                                                                                         // I
    {8, "M 8 20 L 8 4.5 A 4 4.5 4 4.5 0 -150"},                                                                  // J
    {12, "M 0 0 L 0 20 M 12 20 L 0 7.5 M 4.3 12 L 12.5 0"},                                                      // K
    {10, "M 0 20 L 0 0 L 10 0"},                                                                                 // L
    {16, "M 0 0 L 0 20 L 8 6 L 16 20 L 16 0"},                                                                   // M
    {13, "M 0 0 L 0 20 L 13 0 L 13 20"},                                                                         // N
    {16, "A 8 10 8 10 0 360"},                                                                                   // O
    {11.5, "M 0 0 L 0 20 L 6 20 A 6 14.6 5.4 5.4 90 -90 L 0 9.2"},                                               // P
    {16, "A 8 10 8 10 0 360 M 10 5 L 16 -1.5"},                                                                  // Q
    {12, "M 0 0 L 0 20 L 6 20 A 6 14.6 5.4 5.4 90 -90 L 0 9.2 M 6 9.2 L 12 0"},                                  // R
    {11.5, "A 5.8 15.1 5 4.9 30 270 A 5.8 5.1 5.6 5.1 90 -150"},                                                 // S
    {13, "M 0 20 L 13 20 M 6.5 20 L 6.5 0"},                                                                     // T
    {13, "M 0 20 L 0 6.5 A 6.5 6.5 6.5 6.5 180 360 L 13 20"},                                                    // U
    {14, "M 0 20 L 7 0 L 14 20"},                                                                                // V
    {20, "M 0 20 L 5 0 L 10 17 L 15 0 L 20 20"},                                                                 // W
    {13, "M 0 20 L 13 0 M 13 20 L 0 0"},                                                                         // X
    {13, "M 0 20 L 6.5 9.5 L 13 20 M 6.5 9.5 L 6.5 0"},                                                          // Y
    {12.5, "M 0.5 20 L 12 20 L 0 0 L 12.5 0"},                                                                   // Z
    {4, "M 4 22 L 0 22 L 0 -4 L 4 -4"},                                                                          // [
    {8, "M 0 21 L 8 -2"},                                                                               // backslash
    {4, "M 0 22 L 4 22 L 4 -4 L 0 -4"},                                                                 // ]
    {9, "M 0 12 L 4.5 20 L 9 12"},                                                                      // ^
    {11, "M 0 -3 L 11 -3"},                                                                             // _
    {3, "M 0 21 L 3 17"},                                                                               // `
    {9.6, "A 5 9.4 4.6 4.6 155 0 L 9.6 0 M 9.6 8 L 4.2 8 A 4.2 4 4.2 4 90 270 A 4.2 5 5.4 5 270 340"},  // a
    {11, "M 0 20 L 0 0 A 5.5 7 5.5 7 0 360"},                                                           // b
    {10, "A 5.5 7 5.5 7 48 312"},                                                                       // c
    {11, "M 11 20 L 11 0 A 5.5 7 5.5 7 0 360"},                                                         // d
    {11, "M 0 7.3 L 11 7.3 A 5.5 7 5.5 7 3 318"},                                                       // e
    {7, "A 6.5 16 3.5 4 65 180 L 3 0 M 0 13.6 L 7 13.6"},                                               // f
    {11, "A 5.5 7 5.5 7 0 360 M 11 14 L 11 -1 A 5.5 -1 5.5 5 0 -150"},                                  // g
    {10, "M 0 20 L 0 0 M 0 9 A 5 9 5 5 180 0 L 10 0"},                                                  // h
    {0, "M 0 14 L 0 0 M 0 19.2 L 0 19.2"},                                                              // i
    {3.5, "M 3.5 14 L 3.5 -3 A 0.5 -3 3 3 0 -90 M 3.5 19.2 L 3.5 19.2"},                                // j
    {9.5, "M 0 20 L 0 0 M 9 14 L 0 5.2 M 3.4 8.4 L 9.7 0"},                                             // k
    {3, "M 0 20 L 0 3 A 3 3 3 3 180 265"},                                                              // l
    {16, "M 0 14 L 0 0 M 0 9.5 A 4 9.5 4 4.5 180 0 L 8 0 M 8 9.5 A 12 9.5 4 4.5 180 0 L 16 0"},         // m
    {10, "M 0 14 L 0 0 M 0 9 A 5 9 5 5 180 0 L 10 0"},                                                  // n
    {11, "A 5.5 7 5.5 7 0 360"},                                                                        // o
    {11, "M 0 14 L 0 -6 M 11 7 A 5.5 7 5.5 7 0 360"},                                                   // p
    {11, "M 11 14 L 11 -6 M 11 7 A 5.5 7 5.5 7 0 360"},                                                 // q
    {6.5, "M 0 14 L 0 0 M 0 8.5 A 5 8.5 5 5.5 180 72"},                                                 // r
    {9, "A 4.5 10.6 4 3.4 30 270 A 4.5 3.6 4.5 3.6 90 -150"},                                           // s
    {7, "M 3 18.5 L 3 4 A 6.5 4 3.5 4 180 278 M 0 13.6 L 7 13.6"},                                      // t
    {10, "M 0 14 L 0 5 A 5 5 5 5 180 360 M 10 14 L 10 0"},                                              // u
    {10.5, "M 0 14 L 5.25 0 L 10.5 14"},                                                                // v
    {16, "M 0 14 L 4 0 L 8 12 L 12 0 L 16 14"},                                                         // w
    {10, "M 0 14 L 10 0 M 10 14 L 0 0"},                                                                // x
    {10.5, "M 0 14 L 5.4 0.4 M 10.5 14 L 3.6 -4 L 2.4 -5.6 L 0.4 -5.8"},                                // y
    {9.7, "M 0.3 14 L 9.3 14 L 0 0 L 9.7 0"},                                                           // z
    {6, "A 6 18 3 4 90 180 L 3 12 A 0 12 3 3 0 -90 A 0 6 3 3 90 0 L 3 0 A 6 0 3 4 180 270"},            // {
    {0, "M 0 22 L 0 -5"},                                                                               // |
    {6, "A 0 18 3 4 90 0 L 3 12 A 6 12 3 3 180 270 A 6 6 3 3 90 180 L 3 0 A 0 0 3 4 0 -90"},            // }
    {12, "A 3 8.5 3 2.6 180 0 A 9 8.5 3 2.6 180 360"},                                                  // ~
}};

inline constexpr glyph kEllipsisGlyph{11, "M 0 0.4 L 0 0.4 M 5.5 0.4 L 5.5 0.4 M 11 0.4 L 11 0.4"};
inline constexpr glyph kMissingGlyph{9, "M 0 0 L 9 0 L 9 18 L 0 18 L 0 0"};

}  // namespace detail

/// The glyph of a code point; characters outside printable ASCII (but for the ellipsis) are a box.
[[nodiscard]] constexpr const glyph& glyph_of(char32_t value) noexcept {
  if (value == 0x2026) return detail::kEllipsisGlyph;
  return value >= 32 && value < 127 ? detail::kAsciiGlyphs[value - 32] : detail::kMissingGlyph;
}

}  // namespace imgsim
