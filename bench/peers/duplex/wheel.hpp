// Everything in the order of time, from a calendar. A packet keeps its place in a pool on all its way.
#pragma once
#include "calendar.hpp"

class Wheel {
 public:
  explicit Wheel(const Network& network)
      : pool_(new Packet[room]),
        calendar_(network, pool_.get(), room, 4 * network.packets_per_second(),
                  3 * std::max(network.longest_delay(), network.longest_gap()) / 2) {}

  void add(const Packet& p) {
    std::uint32_t id = used_;
    if (unused_.empty()) {
      if (++used_ > room) std::abort();
    } else {
      id = unused_.back();
      unused_.pop_back();
    }
    pool_[id] = p;
    calendar_.insert(id);
  }
  void advance(const Packet& p) { calendar_.insert(static_cast<std::uint32_t>(&p - pool_.get())); }
  void finish(const Packet& p) { unused_.push_back(static_cast<std::uint32_t>(&p - pool_.get())); }

  template <class Simulator>
  [[gnu::flatten]] void run(Simulator& simulator, Time until) {
    while (!calendar_.empty()) {
      const auto [time, id] = calendar_.front();
      if (time >= until) return;
      calendar_.pop_front();
      simulator.handle(pool_[id]);
    }
  }

 private:
  static constexpr std::uint32_t room = 1 << 24;  // most packets under way; pages are taken when they are used

  std::unique_ptr<Packet[]> pool_;
  std::uint32_t used_ = 0;
  std::vector<std::uint32_t> unused_;
  Calendar calendar_;
};
