// A packet on its way, or something else that waits for its time: the next emission of a source, the next move.
#pragma once
#include <cstdint>

using Time = std::int64_t;  // picoseconds

enum class Kind : std::uint8_t { DataDown, DataUp, MessageToNode, MessageToMobile, Emission, Move };

// What a message says about a move from an old router to a new one.
enum class Code : std::uint8_t { None, Leave, Enter, Bind, Marker, Reply, Acknowledgement };

constexpr std::uint16_t data_bytes = 228, message_bytes = 80, tunnel_bytes = 20;

struct Packet {
  Time time;             // of the arrival at the end of its link, of the emission, or of the move
  Time born;
  std::uint32_t link;    // of an emission or a move: no link
  std::uint32_t number;  // mobile node, or source of an emission
  std::uint16_t old_router, new_router;  // of a message
  std::uint16_t to;                      // node to which it is addressed
  std::uint16_t bits;

  // One word for size, kind and code keeps the packet at 32 bytes.
  static constexpr std::uint16_t pack(unsigned bytes, Kind kind, Code code = Code::None) {
    return static_cast<std::uint16_t>(bytes | static_cast<unsigned>(kind) << 10 | static_cast<unsigned>(code) << 13);
  }
  Kind kind() const { return static_cast<Kind>(bits >> 10 & 7); }
  Code code() const { return static_cast<Code>(bits >> 13); }
  unsigned bytes() const { return bits & 1023; }
  void resize(unsigned bytes) { bits = static_cast<std::uint16_t>((bits & ~1023) | bytes); }
  bool is_data() const { return kind() <= Kind::DataUp; }
  bool is_message() const { return kind() == Kind::MessageToNode || kind() == Kind::MessageToMobile; }
  unsigned own_bytes() const { return is_data() ? data_bytes : message_bytes; }
};
static_assert(sizeof(Packet) == 32);
