// Everything in the order of time, from std::priority_queue.
#pragma once
#include "network.hpp"

#include <queue>

class Heap {
 public:
  explicit Heap(const Network& network) : events_(Later{&network}) {}

  void add(const Packet& p) { events_.push(p); }
  void advance(const Packet& p) { events_.push(p); }
  void finish(const Packet&) {}

  template <class Simulator>
  [[gnu::flatten]] void run(Simulator& simulator, Time until) {
    while (!events_.empty() && events_.top().time < until) {
      Packet p = events_.top();
      events_.pop();
      simulator.handle(p);
    }
  }

 private:
  struct Later {
    const Network* network;
    bool operator()(const Packet& a, const Packet& b) const { return network->before(b, a); }
  };
  std::priority_queue<Packet, std::vector<Packet>, Later> events_;
};
