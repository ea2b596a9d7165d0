// A small judge of markup: is every element closed, every attribute quoted, every ampersand an entity?
#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace imgsim_test {

/// "" where `text` is well-formed (elements of HTML that have no end tag may stand open), else what is wrong.
inline std::string markup_fault(std::string_view text) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '&') {
      const std::size_t end = text.find(';', at);
      if (end == std::string_view::npos || end - at > 8) return "a bare & at " + std::to_string(at);
      at = end;
    } else if (text[at] == '>') {
      return "a bare > at " + std::to_string(at);
    } else if (text[at] == '<') {
      const bool closing = text.substr(at, 2) == "</", declaration = text.substr(at, 2) == "<!";
      std::size_t end = at + (closing ? 2 : 1);
      const std::size_t name_begin = end;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '!')) ++end;
      const std::string name(text.substr(name_begin, end - name_begin));
      if (name.empty()) return "a bare < at " + std::to_string(at);
      for (bool quoted = false; end < text.size() && (quoted || text[end] != '>'); ++end) {
        if (text[end] == '"') quoted = !quoted;
        if (text[end] == '<') return "a < inside <" + name;
      }
      if (end == text.size()) return "<" + name + " does not end";
      if (closing) {
        if (open.empty() || open.back() != name)
          return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
        open.pop_back();
      } else if (!declaration && text[end - 1] != '/' && name != "meta" && name != "img") {
        open.push_back(name);
      }
      // A style sheet is raw text up to its end.
      if (name == "style" && !closing) end = text.find("</style>", end) - 1;
      at = end;
    }
    ++at;
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

inline bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace imgsim_test
