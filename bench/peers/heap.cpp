// Workloads W1 and W2 (bench/w1.py) as a hand-written event-driven simulator: a binary heap with an event for each packet and hop.
//
//   heap mobiles=1000 seconds=60 tunnel=0 scale=1 correspondents=1 draws=FILE
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
  explicit Simulator(const Workload& w) : w_(w), gap_(w.period), backbone_(w.correspondents, w.backbone()), sent_(w.mobiles), access_(routers, w.access()), radio_(w.mobiles, w.radio()) {}

  Outcome run() {
    Phases phases(w_.period);
    for (std::uint32_t m = 0; m < w_.mobiles; ++m) {
      events_.push({w_.draws.empty() ? phases.next() : gap_(w_.draws[m], 0), 0, m, packet_bytes, Source});
    }
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
        events_.push({e.time + (w_.draws.empty() ? w_.period : gap_(w_.draws[e.mobile], ++sent_[e.mobile])), 0, e.mobile, packet_bytes, Source});
        e.born = e.time;
        return transmit(backbone_[e.mobile % w_.correspondents], e, HomeAgent);
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
  Gaps gap_;
  std::vector<Link> backbone_;
  std::vector<std::uint64_t> sent_;
  std::vector<Link> access_, radio_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  Outcome out_;
};

}  // namespace

int main(int argc, char** argv) {
  const Workload workload(argc, argv);
  return report("heap", Simulator(workload));
}
