// What the peers share: the workload's figures, a drop-tail link with Lindley departures, phases, the report.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using Time = std::int64_t;  // picoseconds

constexpr Time second = 1'000'000'000'000, millisecond = second / 1000, period = 20 * millisecond;
constexpr std::uint16_t packet_bytes = 228, tunnel_header = 20;
constexpr std::uint32_t routers = 8;
constexpr double hops_per_packet = 3;

struct Link {
  Time picoseconds_per_byte, delay, longest_wait, free = 0;

  Link(std::int64_t bits_per_second, Time delay, int buffer_packets)
      : picoseconds_per_byte(8 * second / bits_per_second),
        delay(delay),
        longest_wait(buffer_packets * packet_bytes * picoseconds_per_byte) {}

  bool accept(Time at, int bytes) {
    const Time start = std::max(at, free);
    if (start - at > longest_wait) return false;
    free = start + bytes * picoseconds_per_byte;
    return true;
  }
  Time arrival() const { return free + delay; }
};

struct Workload {
  std::uint32_t mobiles = 1000;
  Time until = 60 * second;
  bool tunnel = false;
  std::int64_t scale = 1;
  std::vector<std::uint32_t> binding;

  Workload(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view text = argv[i];
      const auto equals = text.find('=');
      const std::string_view name = text.substr(0, equals);
      const double value = equals == text.npos ? -1 : std::atof(argv[i] + equals + 1);
      if (name == "mobiles" && value >= 1) mobiles = static_cast<std::uint32_t>(value);
      else if (name == "seconds" && value > 0) until = static_cast<Time>(value * second);
      else if (name == "tunnel" && value >= 0) tunnel = value != 0;
      else if (name == "scale" && value >= 1) scale = static_cast<std::int64_t>(value);
      else {
        std::fprintf(stderr, "not an argument: %s; give mobiles= seconds= tunnel= scale=\n", argv[i]);
        std::exit(2);
      }
    }
    for (std::uint32_t m = 0; m < mobiles; ++m) binding.push_back(m % routers);
  }

  Link backbone() const { return {scale * 1'000'000'000, 5 * millisecond, 1000}; }
  Link access() const { return {scale * 100'000'000, 10 * millisecond, 100}; }
  Link radio() const { return {scale * 10'000'000, 2 * millisecond, 100}; }
  std::uint32_t care_of(std::uint32_t mobile) const { return tunnel ? binding[mobile] : mobile % routers; }
};

// First sending times: SplitMix64 from seed 1, 53 bits each, as a share of the period.
class Phases {
 public:
  Time next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return static_cast<Time>(static_cast<double>(z >> 11) * 0x1p-53 * period);
  }

 private:
  std::uint64_t state_ = 1;
};

struct Outcome {
  std::int64_t delivered = 0, dropped = 0;
  Time delay_sum = 0;
};

template <class Simulate>
int report(const char* peer, const Workload& workload, Simulate simulate) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const Outcome out = simulate(workload);
  const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf("{\"peer\": \"%s\", \"delivered\": %lld, \"dropped\": %lld, \"delay_sum_ps\": %lld, \"wall_s\": %.6f, \"hops_per_s\": %.6g}\n",
              peer, static_cast<long long>(out.delivered), static_cast<long long>(out.dropped),
              static_cast<long long>(out.delay_sum), wall, hops_per_packet * static_cast<double>(out.delivered) / wall);
  return 0;
}
