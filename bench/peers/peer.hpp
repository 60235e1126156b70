// Common parts of the peers: parameters of the workload, a drop-tail link with Lindley departures, phases, the report.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

using Time = std::int64_t;  // picoseconds

constexpr Time second = 1'000'000'000'000, millisecond = second / 1000, microsecond = millisecond / 1000;
constexpr std::uint16_t packet_bytes = 228, tunnel_header = 20;
constexpr std::uint32_t routers = 8;

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
  bool tunnel = false, few = false;
  Time period = 20 * millisecond;
  std::int64_t scale = 1;
  std::uint32_t correspondents = 1;
  std::vector<std::uint32_t> binding;
  std::vector<std::uint64_t> draws;  // state of the draws of each mobile's gaps, if they are exponential

  Workload(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view text = argv[i];
      const auto equals = text.find('=');
      const std::string_view name = text.substr(0, equals);
      const double value = equals == text.npos ? -1 : std::atof(argv[i] + equals + 1);
      if (name == "draws" && equals != text.npos && read_draws(argv[i] + equals + 1)) continue;
      if (name == "mobiles" && value >= 1) mobiles = static_cast<std::uint32_t>(value);
      else if (name == "seconds" && value > 0) until = static_cast<Time>(value * second);
      else if (name == "tunnel" && value >= 0) tunnel = value != 0;
      else if (name == "few" && value >= 0) few = value != 0;
      else if (name == "scale" && value >= 1) scale = static_cast<std::int64_t>(value);
      else if (name == "correspondents" && value >= 1) correspondents = static_cast<std::uint32_t>(value);
      else {
        std::fprintf(stderr, "not an argument: %s; give mobiles= seconds= tunnel= few= scale= correspondents= draws=\n", argv[i]);
        std::exit(2);
      }
    }
    if (few) period = second;
    for (std::uint32_t m = 0; m < mobiles; ++m) binding.push_back(m % routers);
  }

  bool read_draws(const char* path) {
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return false;
    for (std::uint64_t word; std::fread(&word, sizeof word, 1, file) == 1;) draws.push_back(word);
    std::fclose(file);
    return true;
  }

  Link backbone() const { return {scale * 1'000'000'000, few ? 50 * millisecond : 5 * millisecond, 1000}; }
  Link access() const { return {scale * 100'000'000, few ? millisecond : 10 * millisecond, 100}; }
  Link radio() const { return {scale * 10'000'000, few ? 10 * microsecond : 2 * millisecond, 100}; }
  std::uint32_t care_of(std::uint32_t mobile) const { return tunnel ? binding[mobile] : mobile % routers; }
};

// First send times: 53 bits of SplitMix64 from seed 1, as a fraction of the period.
class Phases {
 public:
  explicit Phases(Time period) : period_(period) {}

  Time next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return static_cast<Time>(static_cast<double>(z >> 11) * 0x1p-53 * static_cast<double>(period_));
  }

 private:
  Time period_;
  std::uint64_t state_ = 1;
};

// Gaps of a Poisson source (docs/model.md, 9): drawn from a counter, with a logarithm by table, in integers.
class Gaps {
 public:
  explicit Gaps(Time mean) : mean_(mean) {
    for (int i = 0; i <= 4096; ++i) table_.push_back(std::llroundl(0x1p40L * std::log1pl(i / 4096.0L)));
  }

  Time operator()(std::uint64_t draws, std::uint64_t index) const {
    const std::uint64_t v = mix(mix(draws + 0x9E3779B97F4A7C15) ^ index) + 1;
    if (v == 0) return 1;
    const int zeros = __builtin_clzll(v);
    const std::uint64_t m = v << zeros;
    const std::size_t i = m >> 51 & 4095;
    const __int128 fraction = m >> 11 & ((std::uint64_t{1} << 40) - 1);
    const std::int64_t between = static_cast<std::int64_t>((table_[i + 1] - table_[i]) * fraction >> 40);
    const std::int64_t log = (zeros + 1) * std::int64_t{762123384786} - (table_[i] + between);
    return 1 + static_cast<Time>(static_cast<__int128>(mean_) * log >> 40);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }

  Time mean_;
  std::vector<std::int64_t> table_;
};

struct Outcome {
  std::int64_t delivered = 0, dropped = 0;
  Time delay_sum = 0;
};

// Time the run of an initialised program.
template <class Program>
int report(const char* peer, Program&& program) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const std::clock_t before = std::clock();
  const Outcome out = program.run();
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf("{\"peer\": \"%s\", \"delivered\": %lld, \"dropped\": %lld, \"delay_sum_ps\": %lld, \"wall_s\": %.6f, \"cpu_s\": %.6f}\n",
              peer, static_cast<long long>(out.delivered), static_cast<long long>(out.dropped),
              static_cast<long long>(out.delay_sum), wall, cpu);
  return 0;
}
