// Workloads W1 and W2 (bench/w1.py) as a hand-written event simulator: one binary heap, one event for each packet and hop.
//
//   heap mobiles=1000 seconds=60 tunnel=0 scale=1
#include "peer.hpp"

#include <queue>

namespace {

enum Place : std::uint16_t { Source, HomeAgent, Router, MobileNode };

struct Event {
  Time time;
  Time born;
  std::uint32_t mobile;
  std::uint16_t size;
  Place place;
};

struct Later {
  bool operator()(const Event& a, const Event& b) const { return a.time > b.time; }
};

class Simulator {
 public:
  explicit Simulator(const Workload& w) : w_(w), backbone_(w.backbone()), access_(routers, w.access()), radio_(w.mobiles, w.radio()) {}

  Outcome run() {
    Phases phases;
    for (std::uint32_t m = 0; m < w_.mobiles; ++m) events_.push({phases.next(), 0, m, packet_bytes, Source});
    while (!events_.empty() && events_.top().time < w_.until) {
      const Event e = events_.top();
      events_.pop();
      handle(e);
    }
    return out_;
  }

 private:
  void handle(Event e) {
    switch (e.place) {
      case Source:
        events_.push({e.time + period, 0, e.mobile, packet_bytes, Source});
        e.born = e.time;
        return transmit(backbone_, e, HomeAgent);
      case HomeAgent:
        if (w_.tunnel) e.size += tunnel_header;
        return transmit(access_[w_.care_of(e.mobile)], e, Router);
      case Router:
        if (w_.tunnel) e.size -= tunnel_header;
        return transmit(radio_[e.mobile], e, MobileNode);
      case MobileNode:
        ++out_.delivered;
        out_.delay_sum += e.time - e.born;
    }
  }

  void transmit(Link& link, Event e, Place next) {
    if (!link.accept(e.time, e.size)) {
      ++out_.dropped;
      return;
    }
    e.time = link.arrival();
    e.place = next;
    events_.push(e);
  }

  const Workload& w_;
  Link backbone_;
  std::vector<Link> access_, radio_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  Outcome out_;
};

}  // namespace

int main(int argc, char** argv) {
  return report("heap", Workload(argc, argv), [](const Workload& w) { return Simulator(w).run(); });
}
